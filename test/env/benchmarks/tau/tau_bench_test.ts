import assert from "node:assert/strict";
import { messageOf } from "../../../../env/errors.ts";
import { cpSync } from "node:fs";
import {
  loadTauBench,
  tauBenchDir,
} from "../../../../env/benchmarks/tau/tau_bench.ts";
import { datasetContract } from "../../../contract/dataset_contract.ts";
import { environmentContract } from "../../../contract/environment_contract.ts";
import { NO_TAU_BENCH, TAU_BENCH } from "../../../support/tau_bench.ts";

if (!NO_TAU_BENCH) {
  for (const domain of ["retail", "airline"] as const) {
    const name = `tau-bench ${domain}`;
    datasetContract(name, () => loadTauBench(TAU_BENCH, domain));
    environmentContract(name, () => loadTauBench(TAU_BENCH, domain));
  }
}

Deno.test({
  name: "loadTauBench() reads τ-bench's retail",
  ignore: NO_TAU_BENCH,
  async fn() {
    const dataset = await loadTauBench(TAU_BENCH, "retail");
    const { retail } = JSON.parse(
      await Deno.readTextFile(`${TAU_BENCH}/replays/initial_hashes.json`),
    );
    assert.equal(dataset.database.hash(), retail);
    assert.deepEqual(dataset.splits, ["train", "dev", "test"]);
    const sizes = dataset.splits.map((split) => dataset.tasks(split).length);
    assert.deepEqual(sizes, [500, 20, 115]);
    assert.equal(dataset.tasks("test")[17]?.id, "retail/test/17");
    assert.equal(dataset.tools.length, 16);
    assert.deepEqual(dataset.terminatingTools, ["transfer_to_human_agents"]);
    const again = await loadTauBench(TAU_BENCH, "retail");
    assert.equal(again.fingerprint, dataset.fingerprint);
  },
});

Deno.test({
  name: "loadTauBench() names the invalid file, row and field, with a hint",
  ignore: NO_TAU_BENCH,
  async fn() {
    const damages: [
      file: string,
      damage: (text: string) => string | null,
      message: RegExp,
    ][] = [
      [
        "retail/orders.json",
        () => null,
        /^Cannot find ".*retail\/orders\.json"; /,
      ],
      [
        "retail/users.json",
        (text) => text.slice(0, 5000),
        /^Cannot read JSON in ".*users\.json": .*, line \d+, column \d+; /,
      ],
      [
        "retail/orders.json",
        (text) => text.replace('"price": 47.84', '"price": "47.84"'),
        /^Cannot use ".*orders\.json": row "#W\d+", field "items\.0\.price": expected number, received string; /,
      ],
      [
        "retail/users.json",
        (text) => text.replace('"source": "paypal"', '"source": "cash"'),
        /users\.json": row "\w+", field "payment_methods\.\w+\.source": /,
      ],
      [
        "retail/products.json",
        () => "[]",
        /products\.json": expected an object that maps ids to rows; /,
      ],
      [
        "retail/tasks_dev.json",
        (text) => text.replace('"instruction"', '"instructions"'),
        /tasks_dev\.json": field "0\.instruction": expected string/,
      ],
      [
        "retail/tasks_test.json",
        (text) => text.replace(/"kwargs": \{[^}]*\}/, '"kwargs": []'),
        /tasks_test\.json": field "0\.actions\.0\.kwargs": expected object/,
      ],
      [
        "retail/tools.json",
        () => '[{"type": "function"}]',
        /tools\.json": field "0\.function": /,
      ],
      [
        "few_shot/MockRetailDomainEnv-few_shot.jsonl",
        (text) => `\n${text.replace("\n", '\n{"messages_display": \n')}`,
        /^Cannot read JSON in ".*few_shot\.jsonl:3": /,
      ],
      [
        "few_shot/MockRetailDomainEnv-few_shot.jsonl",
        (text) => `\n${text.replace("\n", '\n{"messages_display": 5}\n')}`,
        /^Cannot use ".*few_shot\.jsonl:3": field "messages_display": /,
      ],
      ["retail/wiki.md", () => null, /^Cannot find ".*wiki\.md"/],
      [
        "terminate_tools.json",
        () => "{",
        /terminate_tools\.json": expected a key/,
      ],
    ];
    for (const [file, damage, message] of damages) {
      await withCopy(async (dir) => {
        const path = `${dir}/${file}`;
        const damaged = damage(await Deno.readTextFile(path));
        if (damaged === null) await Deno.remove(path);
        else await Deno.writeTextFile(path, damaged);
        await assert.rejects(loadTauBench(dir, "retail"), (error) => {
          assert.ok(error instanceof Error);
          assert.equal(error.name, "DataError");
          const text = messageOf(error);
          assert.match(text, message);
          assert.match(
            text,
            /set --tau-bench or TAU_BENCH_DIR to a complete data directory/,
          );
          assert.doesNotMatch(text, /\n/);
          return true;
        });
      });
    }
  },
});

Deno.test({
  name: "loadTauBench() changes the fingerprint if any file changes",
  ignore: NO_TAU_BENCH,
  async fn() {
    const { fingerprint } = await loadTauBench(TAU_BENCH, "retail");
    for (
      const file of [
        "retail/wiki.md",
        "retail/tasks_dev.json",
        "terminate_tools.json",
      ]
    ) {
      await withCopy(async (dir) => {
        await Deno.writeTextFile(`${dir}/${file}`, " ", { append: true });
        assert.notEqual(
          (await loadTauBench(dir, "retail")).fingerprint,
          fingerprint,
        );
      });
    }
  },
});

Deno.test({
  name: "loadTauBench() without a split returns the others",
  ignore: NO_TAU_BENCH,
  async fn() {
    await withCopy(async (dir) => {
      await Deno.remove(`${dir}/retail/tasks_train.json`);
      const dataset = await loadTauBench(dir, "retail");
      assert.throws(() => dataset.tasks("train"), {
        name: "ConfigError",
        message: /no split "train"/,
        hint: /choose one of "dev", "test"/,
      });
      await Deno.remove(`${dir}/retail/tasks_dev.json`);
      await Deno.remove(`${dir}/retail/tasks_test.json`);
      await assert.rejects(loadTauBench(dir, "retail"), /Cannot find tasks in/);
    });
  },
});

Deno.test("loadTauBench() names a missing directory", async () => {
  await assert.rejects(
    loadTauBench("no/such/dir", "retail"),
    /Cannot find "no\/such\/dir/,
  );
});

Deno.test("tauBenchDir() uses the flag, then the variable, else fails with a hint", () => {
  const before = Deno.env.get("TAU_BENCH_DIR");
  try {
    Deno.env.set("TAU_BENCH_DIR", "from/env");
    assert.equal(tauBenchDir("from/flag"), "from/flag");
    assert.equal(tauBenchDir(), "from/env");
    assert.equal(tauBenchDir(null), "from/env");
    Deno.env.delete("TAU_BENCH_DIR");
    assert.throws(() => tauBenchDir(), {
      name: "ConfigError",
      message: /TAU_BENCH_DIR is not set/,
      hint: "pass --tau-bench DIR or set TAU_BENCH_DIR",
    });
  } finally {
    if (before !== undefined) Deno.env.set("TAU_BENCH_DIR", before);
  }
});

/** Calls `run` with the path of a copy of the retail domain's data. `run` may damage the copy. */
async function withCopy(run: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    for (const name of ["retail", "few_shot", "terminate_tools.json"]) {
      cpSync(`${TAU_BENCH}/${name}`, `${dir}/${name}`, { recursive: true });
    }
    await makeWritable(dir);
    await run(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function makeWritable(dir: string): Promise<void> {
  await Deno.chmod(dir, 0o755);
  for await (const entry of Deno.readDir(dir)) {
    const path = `${dir}/${entry.name}`;
    if (entry.isDirectory) await makeWritable(path);
    else await Deno.chmod(path, 0o644);
  }
}
