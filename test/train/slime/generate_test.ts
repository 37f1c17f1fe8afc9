import assert from "node:assert/strict";
import { slowJson } from "../../../env/serve/slow_json.ts";
import { testPython, withoutPython } from "../../support/python.ts";
import {
  type RolloutEvent,
  runRollouts,
  slimeArgs,
} from "../../support/slime_bridge.ts";
import { inTempDir } from "../../support/temp_dir.ts";

const ignore = withoutPython();
const root = new URL("../../../", import.meta.url);

function pathOf(path: string): string {
  return decodeURIComponent(new URL(path, root).pathname);
}

/**
 * Runs the hooks of generate.py on a test case, as slime would.
 * @returns The exit status and the output of the process.
 */
async function drive(input: Record<string, unknown>) {
  const child = new Deno.Command(testPython()!, {
    args: ["-B", pathOf("test/support/slime/drive.py")],
    env: {
      PYTHONPATH: `${pathOf("train/slime")}:${pathOf("test/support/slime")}`,
      TAULAB_TOKEN: "test-token",
    },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify(input)));
  await writer.close();
  const output = await child.output();
  return {
    code: output.code,
    stdout: new TextDecoder().decode(output.stdout),
    stderr: new TextDecoder().decode(output.stderr),
  };
}

interface Drawn {
  status: string;
  tokens: number[];
  response: string;
  reward: number;
  remove_sample: boolean;
  loss_mask: number[];
  rollout_log_probs: number[];
  weight_versions: string[];
  response_length: number;
  index: number;
  metadata: {
    split?: string;
    taulab: { failure?: { message: string } | null };
  };
}

const args = {
  rollout_seed: 3,
  sglang_router_ip: "10.0.0.1",
  sglang_router_port: 3100,
  rollout_max_context_len: 512,
  taulab_timeout_s: 20,
  taulab_retries: 2,
  taulab_patience_s: 10,
};

function samples(count: number, more: Record<string, unknown> = {}) {
  return Array.from({ length: count }, (_, index) => ({
    index,
    group_index: index >> 1,
    prompt: 5,
    metadata: { split: "train", env: "retail", instruction: "Return it." },
    tokens: [9, 9, 9],
    loss_mask: [1],
    remove_sample: true,
    session_id: `session-${index}`,
    ...more,
  }));
}

const answer = {
  tokens: [1, 2, 3, 4, 5, 6],
  prompt_length: 2,
  response_length: 4,
  loss_mask: [1, 1, 0, 1],
  rollout_log_probs: [-0.5, -0.25, 0, -1],
  spans: [
    span(2, "ab", "stop"),
    { length: 1, trainable: false, text: "c" },
    span(1, "d", "length"),
  ],
  response: "abcd",
  reward: 1,
  status: "completed",
  remove_sample: false,
  non_generation_time: 0.5,
  metadata: { taulab: { failure: null } },
};

function span(length: number, text: string, type: string) {
  const meta = {
    finish_reason: { type },
    weight_version: "7",
    prompt_tokens: 2,
    cached_tokens: 0,
  };
  return { length, trainable: true, text, meta_info: meta };
}

type Handler = (request: Request, call: number) => Response | Promise<Response>;

/** Starts a scripted episode server that records its requests. */
function serve(handler: Handler) {
  const seen: Record<string, unknown>[] = [];
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request) => {
      const body = JSON.parse(await request.text() || "{}");
      seen.push({ ...body, token: request.headers.get("authorization") });
      return handler(request, seen.length);
    },
  );
  return {
    seen,
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function play(
  services: string[],
  input: Record<string, unknown> = {},
): Promise<Drawn[]> {
  const output = await drive({
    do: "play",
    sampling_params: { temperature: 1, max_new_tokens: 64, stop: null },
    samples: samples(4),
    ...input,
    args: { ...args, taulab_services: services, ...(input.args ?? {}) },
  });
  assert.equal(output.code, 0, output.stderr);
  return JSON.parse(output.stdout);
}

Deno.test({
  name: "generate() fills slime's own Sample from the response (needs Python)",
  ignore,
  fn: async () => {
    await using server = serve(() => Response.json(answer));
    const drawn = await play([server.url]);
    for (const sample of drawn) {
      assert.deepEqual(sample.tokens, answer.tokens);
      assert.deepEqual(sample.loss_mask, answer.loss_mask);
      assert.deepEqual(sample.rollout_log_probs, answer.rollout_log_probs);
      assert.deepEqual(sample.weight_versions, ["7", "7"]);
      assert.equal(sample.response, "abcd");
      assert.equal(sample.status, "completed");
      assert.equal(sample.remove_sample, false);
      assert.equal(sample.metadata.split, "train");
    }
    const { seed, ...request } = server.seen[0]!;
    assert.equal(typeof seed, "number");
    assert.deepEqual(request, {
      task: 5,
      split: "train",
      domain: "retail",
      evaluation: false,
      sampling_params: { temperature: 1, max_new_tokens: 64 },
      engine: "http://10.0.0.1:3100",
      session_id: "session-0",
      max_context_tokens: 512,
      instruction: "Return it.",
      token: "Bearer test-token",
    });
    assert.equal(new Set(server.seen.map((body) => body.seed)).size, 4);
  },
});

Deno.test({
  name: "generate() switches to other servers if one fails (needs Python)",
  ignore,
  fn: async () => {
    await using good = serve(() => Response.json(answer));
    await using draining = serve(() =>
      new Response("draining", { status: 503 })
    );
    await using broken = serve(() => new Response("oh", { status: 500 }));
    const gone = serve(() => new Response());
    await gone[Symbol.asyncDispose]();
    const drawn = await play(
      [gone.url, draining.url, broken.url, good.url],
      { samples: samples(40) },
    );
    assert.equal(drawn.filter((sample) => sample.reward === 1).length, 40);
    assert.ok(draining.seen.length < 20, "one that fails is left alone");
  },
});

Deno.test({
  name: "generate() drops a sample that no server can play (needs Python)",
  ignore,
  fn: async () => {
    const bad: Response[] = [
      Response.json(answer),
      new Response("not json"),
      Response.json({ ...answer, loss_mask: [1] }),
      Response.json({ ...answer, spans: undefined }),
      Response.json({ error: { message: "odd" } }, { status: 404 }),
    ];
    await using server = serve((_, call) => bad[call - 1]!);
    const drawn = await play([server.url], { samples: samples(5) });
    assert.equal(drawn[0]!.status, "completed");
    for (const sample of drawn.slice(1)) {
      assert.equal(sample.status, "aborted");
      assert.equal(sample.remove_sample, true);
      assert.deepEqual(
        [sample.tokens, sample.loss_mask, sample.rollout_log_probs],
        [[0, 0], [0], [0]],
      );
      assert.ok(sample.metadata.taulab.failure?.message);
    }
  },
});

Deno.test({
  name:
    "generate() waits for a server no longer than its timeout (needs Python)",
  ignore,
  fn: async () => {
    const release = Promise.withResolvers<Response>();
    await using hanging = serve(() => release.promise);
    const [sample] = await play([hanging.url], {
      samples: samples(1),
      args: { taulab_timeout_s: 0.2, taulab_retries: 1 },
    });
    assert.match(
      sample!.metadata.taulab.failure!.message,
      /no answer within 0\.2 s/,
    );
    assert.equal(hanging.seen.length, 2);
    const [silent] = await play([hanging.url], {
      samples: samples(1),
      args: { taulab_silence_s: 0.2, taulab_retries: 0 },
    });
    assert.match(silent!.metadata.taulab.failure!.message, /ReadTimeout/);
    release.resolve(new Response());
    const [lost] = await play(["http://127.0.0.1:1"], {
      samples: samples(1),
      args: { taulab_patience_s: 0.3 },
    });
    assert.equal(lost!.remove_sample, true);
  },
});

Deno.test({
  name:
    "generate() ends the run on a setup error or a spent budget (needs Python)",
  ignore,
  fn: async () => {
    for (const status of [400, 401, 404, 409, 402]) {
      await using server = serve((_, call) =>
        status === 402 && call === 1
          ? Response.json(answer)
          : new Response("no such split", { status })
      );
      const output = await drive({
        do: "play",
        sampling_params: {},
        samples: samples(2),
        args: { ...args, taulab_services: [server.url] },
      });
      assert.notEqual(output.code, 0);
      assert.match(output.stderr, new RegExp(`SetUpError.*${status}.*no such`));
    }
  },
});

Deno.test({
  name:
    "generate() ends a run without any episode for a long time (needs Python)",
  ignore,
  fn: async () => {
    const lost = {
      ...answer,
      reward: 0,
      status: "aborted",
      remove_sample: true,
      metadata: { taulab: { failure: { message: "the key was revoked" } } },
    };
    let succeeding = 10;
    await using server = serve(() =>
      Response.json(succeeding-- > 0 ? answer : lost)
    );
    const input = {
      do: "play",
      sampling_params: {},
      samples: samples(60),
      args: { ...args, taulab_services: [server.url], taulab_outage_s: 0 },
    };
    const output = await drive(input);
    assert.match(
      output.stderr,
      /SetUpError.*32 in total.*the key was revoked/,
    );
    succeeding = 10;
    const patient = { ...input.args, taulab_outage_s: 60 };
    assert.equal((await drive({ ...input, args: patient })).code, 0);
  },
});

Deno.test({
  name: "generate() reports invalid settings (needs Python)",
  ignore,
  fn: async () => {
    const cases: [object, object, RegExp][] = [
      [{ group_rm: true }, {}, /--group-rm would replace/],
      [{ use_rollout_routing_replay: true }, {}, /routing-replay/],
      [{ taulab_services: [] }, {}, /taulab_services is empty/],
      [{}, { prompt: "How are you?" }, /'How are you\?'.*--input-key prompt/],
      [{}, { prompt: null }, /--input-key prompt/],
      [{}, { prompt: [{ content: "x" }] }, /'x'.*--input-key prompt/],
    ];
    for (const [more, fields, message] of cases) {
      const output = await drive({
        do: "play",
        sampling_params: {},
        samples: samples(1, { ...fields }),
        args: { ...args, taulab_services: ["http://127.0.0.1:1"], ...more },
      });
      assert.match(output.stderr, message);
    }
  },
});

Deno.test({
  name: "generate() ends its episodes when slime aborts (needs Python)",
  ignore,
  fn: async () => {
    let closed = 0;
    await using server = serve((request, call) => {
      if (call === 1) return Response.json(answer);
      return slowJson(
        (signal) =>
          new Promise((resolve) => {
            signal.addEventListener("abort", () => resolve(++closed));
          }),
        { client: request.signal },
      );
    });
    const drawn = await play([server.url], { abort_after: 0.5 });
    assert.deepEqual(drawn.map((sample) => sample.status), [
      "completed",
      "aborted",
      "aborted",
      "aborted",
    ]);
    assert.equal(closed, 3);
  },
});

Deno.test({
  name:
    "generate() evaluates on the split of the row, or refuses (needs Python)",
  ignore,
  fn: async () => {
    await using server = serve(() => Response.json(answer));
    const dev = { split: "dev" };
    await play([server.url], {
      evaluation: true,
      samples: samples(1, { metadata: dev, session_id: null }),
    });
    assert.equal(server.seen[0]!.split, "dev");
    assert.match(String(server.seen[0]!.session_id), /^[0-9a-f-]{36}$/);
    const output = await drive({
      do: "play",
      evaluation: true,
      sampling_params: {},
      samples: samples(1, { metadata: {} }),
      args: { ...args, taulab_services: [server.url] },
    });
    assert.match(output.stderr, /has no split/);
  },
});

Deno.test({
  name:
    "normalize_rewards() excludes failures from a group's mean (needs Python)",
  ignore,
  fn: async () => {
    const rewards = [1, 0, 1, null, 1, 0, null, null, null, null, null, null];
    const group = rewards.map((reward, index) => ({
      index,
      group_index: Math.floor(index / 4),
      reward: reward ?? 0,
      remove_sample: reward === null,
    }));
    const how = {
      advantage_estimator: "grpo",
      rewards_normalization: true,
      grpo_std_normalization: false,
    };
    const output = await drive({ do: "group", args: how, samples: group });
    const { raw, normalized } = JSON.parse(output.stdout);
    const third = 1 / 3;
    assert.deepEqual(
      raw.map((value: number) => +value.toFixed(6)),
      [1, 0, 1, 2 / 3, 1, 0, 0.5, 0.5, 0.6, 0.6, 0.6, 0.6]
        .map((value) => +value.toFixed(6)),
    );
    const wanted = [third, -2 / 3, third, 0, 0.5, -0.5, 0, 0, 0, 0, 0, 0];
    wanted.forEach((value, at) =>
      assert.ok(Math.abs(value - normalized[at]) < 1e-9)
    );
    const scaled = await drive({
      do: "group",
      args: { ...how, grpo_std_normalization: true },
      samples: group,
    });
    const std = Math.sqrt(third);
    const first = JSON.parse(scaled.stdout).normalized[0];
    assert.ok(Math.abs(first - third / (std + 1e-6)) < 1e-9);
  },
});

Deno.test({
  name:
    "keep_group() and leave_out_of_eval() do not count failures (needs Python)",
  ignore,
  fn: async () => {
    async function keep(rewards: (number | null)[]) {
      const group = rewards.map((reward) => ({
        reward: reward ?? 0,
        remove_sample: reward === null,
      }));
      const how = { advantage_estimator: "ppo", rewards_normalization: false };
      const output = await drive({ do: "group", args: how, samples: group });
      return JSON.parse(output.stdout).keep;
    }
    assert.deepEqual(await keep([1, 0, null]), {
      keep: true,
      reason: null,
      keep_when_insufficient: false,
    });
    assert.equal((await keep([1, 1, null])).reason, "zero_std_1");
    assert.equal((await keep([1, null, null])).reason, "too_few_succeeded");
    const lost = [false, false, false, true].map((removed, index) => ({
      index,
      reward: removed ? 0 : 1,
      remove_sample: removed,
    }));
    const one = await drive({ do: "eval", args: {}, samples: lost });
    assert.deepEqual(JSON.parse(one.stdout), {
      handled: false,
      rewards: [1, 1, 1],
      samples: 3,
    });
    const pairs = { n_samples_per_eval_prompt: 2 };
    const two = await drive({ do: "eval", args: pairs, samples: lost });
    assert.deepEqual(JSON.parse(two.stdout).rewards, [1, 1]);
  },
});

Deno.test({
  name:
    "keep_group() keeps groups with equal rewards once it has judged enough, in each rollout (needs Python)",
  ignore,
  fn: () =>
    inTempDir(async (dir) => {
      const rows = `${dir}/rows.jsonl`;
      const row = { prompt: 0, metadata: { split: "train", env: "retail" } };
      await Deno.writeTextFile(rows, `${JSON.stringify(row)}\n`);
      await using server = serve(({ url }) =>
        Response.json(
          new URL(url).pathname === "/episodes"
            ? { ...answer, reward: 0 }
            : { loads: [] },
        )
      );
      const events = await runRollouts({
        args: slimeArgs(server.url, {
          prompt_data: rows,
          workers: [server.url],
          rollout_batch_size: 4,
          over_sampling_batch_size: 4,
          n_samples_per_prompt: 2,
          dynamic_sampling_filter_path: "generate.keep_group",
          taulab_services: [server.url],
          taulab_filter_rounds: 2,
        }),
        rollouts: 2,
      });
      const rollouts = events.filter((event): event is RolloutEvent =>
        event.event === "rollout"
      );
      assert.equal(rollouts.length, 2);
      for (const { kept, dropped, normalized } of rollouts) {
        assert.equal(kept.length, 4);
        // The filter judges two batches of four groups, and possibly some groups beyond them.
        assert.ok(
          dropped.length >= 8 && dropped.length <= 12,
          `${dropped.length}`,
        );
        assert.ok(normalized.every((advantage) => advantage === 0));
      }
    }),
});

Deno.test({
  name: "log_rollout() counts failures separately (needs Python)",
  ignore,
  fn: async () => {
    const about = (more: Record<string, unknown>) => ({
      metadata: { taulab: { failure: null, parse_errors: 1, ...more } },
    });
    const output = await drive({
      do: "log",
      args,
      samples: [
        about({ stop_reason: "user_stop", turns: 4 }),
        about({ stop_reason: "user_stop", turns: 6, parse_errors: 2 }),
        { ...about({ failure: { kind: "timeout" } }), remove_sample: true },
        { metadata: {}, remove_sample: true },
      ],
    });
    assert.equal(output.code, 0, output.stderr);
    assert.deepEqual(JSON.parse(output.stdout), {
      handled: false,
      metrics: {
        "taulab/stop_reasons/user_stop": 2,
        "taulab/failures/timeout": 1,
        "taulab/failures/unknown": 1,
        "taulab/turns": 5,
        "taulab/parse_errors": 3,
      },
    });
  },
});
