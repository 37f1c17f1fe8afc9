import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { check as hook } from "../../../../train/slime/doctor/checks/hook.ts";
import { check as software } from "../../../../train/slime/doctor/checks/software.ts";
import { check as template } from "../../../../train/slime/doctor/checks/template.ts";
import { examine } from "../../../../train/slime/doctor/run_check.ts";
import {
  jobPythonPath,
  runPython,
} from "../../../../train/slime/doctor/host_python.ts";
import { readHooks } from "../../../../train/slime/read_hooks.ts";
import { readHostFlags } from "../../../../train/slime/doctor/host_flags.ts";
import { readRouterPolicies } from "../../../../train/slime/doctor/host_router.ts";
import { routerPolicy } from "../../../../train/slime/plan/router_policy.ts";
import { localShell } from "../../../../train/slime/hosts/local_shell.ts";
import { z } from "zod";
import { checkContext, slimeOf, writeModel } from "../../../support/doctor.ts";
import { testPython, withoutPython } from "../../../support/python.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

const ignore = withoutPython();
const python = testPython() ?? "python3";
const STAND_IN = fileURLToPath(
  new URL("../../../support/slime", import.meta.url),
);
const HOOKS = await readHooks();

function here(sets: readonly string[], hooks = HOOKS) {
  const slime = slimeOf([`paths.python=${python}`, ...sets]);
  return checkContext(slime, { hosts: [localShell()], hooks });
}

function atModel(dir: string) {
  return here([`model.directory=${join(dir, "model")}`]);
}

Deno.test({
  name:
    "the check template passes on Qwen3's own tokenizer (needs Python with transformers)",
  ignore,
  fn: () =>
    inTempDir(async (dir) => {
      await writeModel(join(dir, "model"));
      const [finding] = await examine(template, atModel(dir));
      assert.equal(finding?.state, "pass", finding?.found);
      assert.match(
        finding!.found,
        /the text and its \d{3} ids equal those of transformers 4\./,
      );
    }),
});

Deno.test({
  name:
    "the check template fails if only Python can render the template (needs Python with transformers)",
  ignore,
  fn: () =>
    inTempDir(async (dir) => {
      await writeModel(join(dir, "model"));
      const path = join(dir, "model", "tokenizer_config.json");
      const config = JSON.parse(await Deno.readTextFile(path));
      // No known template enables this, and taulab does not implement it.
      config.chat_template = config.chat_template +
        "{% autoescape true %}{{ '<' }}{% endautoescape %}";
      await Deno.writeTextFile(path, JSON.stringify(config));
      const [finding] = await examine(template, atModel(dir));
      assert.equal(finding?.state, "fail", finding?.found);
      assert.match(finding!.found, /autoescape can only be false/);
    }),
});

Deno.test({
  name:
    "the check template fails if ids are beyond the embedding (needs Python with transformers)",
  ignore,
  fn: () =>
    inTempDir(async (dir) => {
      await writeModel(join(dir, "model"));
      const path = join(dir, "model", "tokenizer.json");
      const files = JSON.parse(await Deno.readTextFile(path));
      files.added_tokens.push({
        ...files.added_tokens[0],
        id: 151_936,
        content: "<|extra|>",
      });
      await Deno.writeTextFile(path, JSON.stringify(files));
      const [finding] = await examine(template, atModel(dir));
      assert.equal(finding?.state, "fail", finding?.found);
      assert.match(
        finding!.found,
        /ids up to 151936, but the model's embedding has 151936 rows/,
      );
    }),
});

Deno.test({
  name: "the check template warns if Python has no transformers (needs Python)",
  ignore,
  fn: () =>
    inTempDir(async (dir) => {
      await writeModel(join(dir, "model"));
      // -S excludes installed packages.
      await Deno.writeTextFile(
        join(dir, "bare"),
        `#!/bin/sh\nexec ${python} -S "$@"\n`,
        { mode: 0o755 },
      );
      const context = here([
        `model.directory=${join(dir, "model")}`,
        `paths.python=${join(dir, "bare")}`,
      ]);
      const [finding] = await examine(template, context);
      assert.equal(finding?.state, "warn", finding?.found);
      assert.match(finding!.found, /cannot import transformers/);
    }),
});

Deno.test({
  name: "the check hook passes with slime's Sample (needs Python)",
  ignore,
  fn: async () => {
    const context = here([`paths.slime=${STAND_IN}`]);
    const findings = await examine(hook, context);
    assert.deepEqual(
      findings.map(({ state }) => state),
      ["pass"],
      findings[0]?.found,
    );
    assert.match(findings[0]!.found, /support\/slime\/slime\/utils/);
  },
});

Deno.test({
  name:
    "the check hook fails on hooks that violate slime's assumptions (needs Python)",
  ignore,
  fn: async () => {
    const cases: [from: string, to: string, says: RegExp][] = [
      [
        'sample.status = type(sample).Status(answer["status"])',
        'sample.status = answer["status"]',
        /sample 0: its status is 'completed', which is not a Sample.Status/,
      ],
      [
        "sample.tokens, sample.response_length = [0, 0], 1",
        "sample.tokens, sample.response_length = [0], 1",
        /sample 1: response_length 1 is out of range for a sample of length 1/,
      ],
      [
        "sample.loss_mask, sample.rollout_log_probs = [0], [0.0]",
        "sample.loss_mask, sample.rollout_log_probs = [0], [-1.0]",
        /sample 1: a masked token has a log probability/,
      ],
      [
        "sample.remove_sample = 0.0, True",
        "sample.remove_sample = None, True",
        /sample 1: its reward is None, which is not a number/,
      ],
      [
        "import httpx",
        "import no_such_module",
        /ModuleNotFoundError: No module named 'no_such_module'/,
      ],
    ];
    for (const [from, to, says] of cases) {
      const text = HOOKS["generate.py"]!;
      assert.ok(text.includes(from), from);
      const context = here(
        [`paths.slime=${STAND_IN}`],
        { ...HOOKS, "generate.py": text.replace(from, to) },
      );
      const findings = await examine(hook, context);
      assert.ok(
        findings.some(({ state, found }) =>
          state === "fail" && says.test(found)
        ),
        `${says}: ${JSON.stringify(findings)}`,
      );
    }
  },
});

Deno.test({
  name:
    "the check hook requires slime's functions for asynchronous training (needs Python)",
  ignore,
  fn: () =>
    inTempDir(async (dir) => {
      const sets = [
        "algorithm.async=full",
        "cluster.colocate=false",
        "cluster.rolloutGpus=2",
      ];
      const [whole] = await examine(
        hook,
        here([`paths.slime=${STAND_IN}`, ...sets]),
      );
      assert.equal(whole?.state, "pass", whole?.found);
      // An older version of slime, which lacks both the module and the field that the hooks need.
      const old = join(dir, "slime_root");
      await new Deno.Command("cp", { args: ["-r", STAND_IN, old] }).output();
      await Deno.remove(join(old, "slime/utils/async_utils.py"));
      const types = join(old, "slime/rollout/filter_hub/base_types.py");
      const text = await Deno.readTextFile(types);
      await Deno.writeTextFile(
        types,
        text.replace("    keep_when_insufficient: bool = False\n", ""),
      );
      const found = await examine(hook, here([`paths.slime=${old}`, ...sets]));
      assert.deepEqual(found.map(({ state, found }) => [state, found]), [
        [
          "fail",
          "this slime has no DynamicFilterOutput.keep_when_insufficient in slime.rollout.filter_hub.base_types",
        ],
        ["fail", "this slime has no run in slime.utils.async_utils"],
      ]);
    }),
});

Deno.test({
  name:
    "readHostFlags() returns the flags of all of slime's parsers (needs Python)",
  ignore,
  fn: async () => {
    const { config } = here([`paths.slime=${STAND_IN}/slime_parsers`]);
    const flags = await readHostFlags(localShell(), { config });
    const value = { arity: "value", choices: null };
    assert.deepEqual(Object.fromEntries(flags), {
      "--help": { arity: "bare", choices: null },
      "--train-backend": { arity: "value", choices: ["megatron"] },
      "--sglang-mem-fraction-static": value,
      "--router-policy": { arity: "value", choices: ["random", "manual"] },
      "--num-layers": value,
      "--rollout-batch-size": value,
      "--balance-data": { arity: "bare", choices: null },
      "--eval-prompt-data": { arity: "values", choices: null },
      "--micro-batch-size": value,
      "--old-name": value,
    });
    const without = here([`paths.slime=${STAND_IN}`]);
    await assert.rejects(
      readHostFlags(localShell(), without),
      /cannot read the flags of slime's parsers: \w*ImportError|ModuleNotFoundError/,
    );
  },
});

Deno.test({
  name:
    "readRouterPolicies() reads the policies of PyPI's router (needs Python with sglang-router)",
  ignore,
  fn: async () => {
    const policies = await readRouterPolicies(localShell(), { python });
    assert.ok(policies.includes("manual"), `${policies}`);
    assert.equal(routerPolicy("auto", policies), "manual");
  },
});

Deno.test({
  name:
    "the check software reads a real Python and a real checkout (needs Python)",
  ignore,
  fn: () =>
    inTempDir(async (dir) => {
      const slime = join(dir, "slime");
      await Deno.mkdir(join(slime, ".git"), { recursive: true });
      await Deno.writeTextFile(
        join(slime, ".git/HEAD"),
        "ref: refs/heads/main\n",
      );
      await Deno.writeTextFile(
        join(slime, ".git/packed-refs"),
        "# pack-refs\n0123456789abcdef0123456789abcdef01234567 refs/heads/main\n",
      );
      await Deno.writeTextFile(join(slime, "train.py"), "");
      await Deno.mkdir(join(dir, "megatron/megatron"), { recursive: true });
      const context = here([
        `paths.slime=${slime}`,
        `paths.megatron=${join(dir, "megatron")}`,
      ]);
      const [host] = context.hosts;
      const found = await context.facts.python(host!);
      assert.equal(found.commit, "0123456789abcdef0123456789abcdef01234567");
      assert.deepEqual(found.parts, ["train.py"]);
      assert.equal(found.megatron, true);
      assert.match(found.packages["ray"] ?? "", /^\d+\.\d+/);
      assert.match(found.packages["torch"] ?? "", /^\d+\.\d+/);
      const findings = await examine(software, context);
      assert.ok(findings.some(({ found }) => /lacks sglang/.test(found)));
    }),
});

Deno.test({
  name:
    "runPython() passes text unchanged, and reports a failed program's last output (needs Python)",
  ignore,
  fn: async () => {
    const text = '“#W1” 日本 \u2028 \\n \'""" \u0000 \ud83d\ude00 é';
    const job = {
      program: "print(json.dumps(CASE))",
      input: JSON.stringify({ text }),
      output: z.object({ text: z.string() }),
    };
    const answer = await runPython(localShell(), python, job);
    assert.deepEqual(answer, { text });
    await assert.rejects(
      runPython(localShell(), python, {
        ...job,
        program: "raise ValueError('no luck')",
      }),
      /ValueError: no luck/,
    );
    await assert.rejects(
      runPython(localShell(), python, { ...job, program: "print('so?')" }),
      /printed "so\?"/,
    );
    await assert.rejects(
      runPython(localShell(), "no-such-python", job),
      /no-such-python.*not found/,
    );
  },
});

Deno.test("jobPythonPath() starts with Megatron, like the job's", () => {
  const slime = slimeOf(["paths.megatron=/m", "paths.slime=/s"]);
  assert.equal(jobPythonPath(slime.config), "/m:/s");
});
