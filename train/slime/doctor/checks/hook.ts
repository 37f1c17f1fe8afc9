/**
 * Checks taulab's hooks for slime on the hosts. The hooks must be importable with the job's `PYTHONPATH`, return
 * samples that slime accepts, and find the functions of slime that they call.
 */

import { z } from "zod";
import { DataError } from "../../../../env/errors.ts";
import type { Shell } from "../../hosts/shell.ts";
import {
  type Check,
  type CheckContext,
  fail,
  type Observed,
  onEachHost,
  pass,
} from "../check.ts";
import { jobPythonPath, runPython } from "../host_python.ts";
import type { SlimeConfig } from "../../slime_schema.ts";

/** The `hook` check. */
export const check: Check = {
  id: "hook",
  order: 150,
  title:
    "generate.py can be imported on every host, and fills slime's samples from a mock server",
  // Importing slime imports PyTorch and SGLang.
  timeoutMs: 300_000,
  run: (context) => onEachHost(context.hosts, (host) => tryHook(host, context)),
};

/**
 * A Python program that serves two answers on a free loopback port and has the hook fill slime's `Sample` from each.
 * One of the answers is invalid; the hook must then drop the sample without raising an exception. The program checks
 * the samples for everything that slime asserts, and for errors that slime would not notice.
 */
const PROGRAM = `
import asyncio, importlib, os, sys, tempfile, threading, types
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
home = tempfile.TemporaryDirectory()
for name, text in CASE["hooks"].items():
    with open(os.path.join(home.name, name), "w", encoding="utf-8") as file:
        file.write(text)
sys.path.insert(0, home.name)
faults = []
hooks = importlib.import_module("generate")
from slime.utils.types import Sample
from slime.rollout.sglang_rollout import GenerateState

class Mock(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        text = json.dumps(CASE["answer"]) if body["seed"] % 2 == 0 else "no episode"
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())
    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Mock)
threading.Thread(target=server.serve_forever, daemon=True).start()
args = types.SimpleNamespace(
    rollout_seed=0, sglang_router_ip="127.0.0.1", sglang_router_port=1, rollout_max_context_len=64,
    rollout_top_p=1.0, sglang_speculative_algorithm=None, use_rollout_routing_replay=False, reward_key=None,
    taulab_services=["http://127.0.0.1:%d" % server.server_port], taulab_timeout_s=20, taulab_retries=0,
    taulab_patience_s=5)
row = {"split": "train", "env": "mock"}
samples = [Sample(index=at, group_index=7, prompt=0, metadata=dict(row)) for at in range(2)]

async def play():
    # As an evaluation, because in training the hook reads slime's own state, which needs all of slime's arguments.
    return [await hooks.generate(args, sample, {"temperature": 1.0}, evaluation=True) for sample in samples]

def check(sample, at):
    def want(holds, what):
        if not holds:
            faults.append("sample %d: %s" % (at, what))
    length = sample.response_length
    want(isinstance(sample.status, Sample.Status), "its status is %r, which is not a Sample.Status" % (sample.status,))
    want(1 <= length <= len(sample.tokens) - 1, "response_length %s is out of range for a sample of length %d" % (length, len(sample.tokens)))
    want(sample.loss_mask is not None and len(sample.loss_mask) == length, "the loss mask does not have response_length entries")
    log_probs = sample.rollout_log_probs
    want(log_probs is not None and len(log_probs) == length, "the log probabilities do not have response_length entries")
    want(all(mask or p == 0 for mask, p in zip(sample.loss_mask or [], log_probs or [])), "a masked token has a log probability other than 0")
    want(isinstance(sample.reward, (int, float)), "its reward is %r, which is not a number" % (sample.reward,))
    want((sample.index, sample.group_index) == (at, 7), "its index or group_index has changed")

for at, sample in enumerate(asyncio.run(play())):
    check(sample, at)
good, bad = samples
if not (good.tokens == CASE["answer"]["tokens"] and good.loss_mask == CASE["answer"]["loss_mask"]):
    faults.append("sample 0: tokens or mask differ from the mock's answer")
if good.remove_sample or not bad.remove_sample:
    faults.append("remove_sample is %r for the valid and %r for the invalid answer" % (good.remove_sample, bad.remove_sample))
server.shutdown()
for module, name in CASE["needs"]:
    try:
        there = importlib.import_module(module)
        for part in name.split("."):
            there = getattr(there, part)
    except (ImportError, AttributeError):
        faults.append("this slime has no %s in %s" % (name, module))
print(json.dumps({"faults": faults, "slime": os.path.dirname(os.path.abspath(sys.modules["slime.utils.types"].__file__))}))
`;

const FILTER = "slime.rollout.filter_hub.base_types";

/** Returns what must be importable for these settings, besides `Sample`: pairs of a module and a name in it. */
function needsOf({ rollout, algorithm }: SlimeConfig): [string, string][] {
  const isFull = algorithm.async === "full";
  return [
    ...(rollout.filterRounds === null ? [] : [
      [FILTER, "DynamicFilterOutput.keep_when_insufficient"],
    ] as [string, string][]),
    ...(isFull
      ? [
        [FILTER, "call_dynamic_filter"],
        ["slime.rollout.base_types", "RolloutFnTrainOutput"],
        ["slime.rollout.sglang_rollout", "generate_and_rm_group"],
        ["slime.utils.async_utils", "run"],
        ["slime.utils.misc", "load_function"],
        ["async_rollout", "generate_rollout"],
      ] as [string, string][]
      : []),
  ];
}

const outputSchema = z.object({
  faults: z.array(z.string()),
  slime: z.string(),
});

/** A mock answer with four response tokens, one of which the model did not sample. */
const ANSWER = {
  tokens: [1, 2, 3, 4, 5, 6],
  prompt_length: 2,
  response_length: 4,
  loss_mask: [1, 1, 0, 1],
  rollout_log_probs: [-0.5, -0.25, 0, -1],
  spans: [
    span({ length: 2, type: "stop" }),
    { length: 1, trainable: false, text: "c" },
    span({ length: 1, type: "stop" }),
  ],
  response: "abcab",
  reward: 1,
  status: "completed",
  remove_sample: false,
  non_generation_time: 0.5,
  metadata: { taulab: { failure: null } },
};

function span({ length, type }: { length: number; type: string }) {
  const meta_info = {
    finish_reason: { type },
    weight_version: "1",
    prompt_tokens: 2,
    completion_tokens: length,
    cached_tokens: 0,
  };
  return { length, trainable: true, text: "ab", meta_info };
}

async function tryHook(
  host: Shell,
  { config, hooks, signal }: CheckContext,
): Promise<readonly Observed[]> {
  try {
    const { faults, slime } = await runPython(host, config.paths.python, {
      program: PROGRAM,
      input: JSON.stringify({ hooks, answer: ANSWER, needs: needsOf(config) }),
      output: outputSchema,
      env: { PYTHONPATH: jobPythonPath(config), TAULAB_TOKEN: "" },
      signal,
    });
    if (faults.length === 0) {
      return [
        pass(
          `generate.py can be imported and fills slime's samples (${slime})`,
        ),
      ];
    }
    return faults.map((fault) =>
      fail(
        fault,
        'use the commit of slime that "deno task setup" pins, which the hooks require',
      )
    );
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return [fail(
      `generate.py does not run with slime: ${error.message}`,
      `check paths.python, paths.slime and paths.megatron, or run "deno task setup"`,
    )];
  }
}
