import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { checkNotebooks } from "../../notebooks/jupyter/check_cells.ts";
import {
  codeCells,
  readNotebooks,
} from "../../notebooks/jupyter/notebook_file.ts";
import { Run } from "../../notebooks/lib/run.ts";
import { readRun } from "../../train/runs/training_dir.ts";
import { executeInJupyter, type Shown } from "../support/jupyter.ts";
import { withoutPython } from "../support/python.ts";
import { inTempDir } from "../support/temp_dir.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const DIR = `${ROOT}notebooks`;
const notebooks = await readNotebooks(DIR);

Deno.test("notebooks: they are committed without outputs", () => {
  assert.equal(notebooks.length, 5);
  for (const { name, cells } of notebooks) {
    for (const { id, execution_count, outputs } of cells) {
      assert.deepEqual(outputs, [], `${name}, ${id}: clear its outputs`);
      assert.equal(execution_count ?? null, null, `${name}, ${id}`);
    }
    assert.equal(new Set(cells.map(({ id }) => id)).size, cells.length, name);
  }
});

Deno.test("notebooks: they import only the published entry points", () => {
  const entries = ["../mod.ts", "../train/mod.ts", "../train/slime/mod.ts"];
  for (const notebook of notebooks) {
    for (const { id, source } of codeCells(notebook)) {
      for (const [, path = ""] of source.matchAll(/\bfrom "([^"]+)"/g)) {
        const isEntry = path === "./mod.ts" || entries.includes(path);
        assert.ok(isEntry, `${notebook.name}, ${id} imports ${path}`);
      }
    }
  }
});

// `deno fmt --check` of Deno 2.9.6 reports notebooks as unformatted unless it wrote them itself, so it is not used.
Deno.test("notebooks: the code is formatted; else deno fmt --no-config notebooks/*.ipynb", async () => {
  await inTempDir(async (dir) => {
    for (const notebook of notebooks) {
      for (const { id, source } of codeCells(notebook)) {
        const file = `${dir}/${notebook.name}.${id}.ts`;
        await Deno.writeTextFile(file, `${source}\n`);
      }
    }
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["fmt", "--check", "--no-config", dir],
      env: { NO_COLOR: "1" },
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
  });
});

Deno.test("notebooks: all cells type-check", async () => {
  const { text } = await checkNotebooks(notebooks, {
    config: `${ROOT}deno.json`,
  });
  assert.equal(text, "");
});

for (const name of ["failures-full", "failures-quarter"]) {
  Deno.test(`notebooks/runs/${name} matches the current world (otherwise record it again, see notebooks/runs/README.md)`, async () => {
    const path = `${DIR}/runs/${name}`;
    using run = await Run.open(path);
    assert.ok(run.tokenizer !== null);
    const trained = run.episodes({ source: "rl" });
    assert.ok(trained.every((one) => run.trajectory(one) !== null));
    let bytes = 0;
    for await (const file of Deno.readDir(path)) {
      bytes += (await Deno.stat(`${path}/${file.name}`)).size;
    }
    assert.ok(bytes < 500_000, `it has ${bytes} bytes`);
  });
}

/**
 * Registers a test that runs a notebook, checks the rules for all notebooks, and then calls `check` for the notebook's
 * own rules.
 */
function notebookTest(
  name: string,
  says: string,
  check: (text: (cell: string) => string) => void | Promise<void>,
): void {
  Deno.test({
    name:
      `notebooks: ${name} runs in Jupyter, and says ${says} (needs Jupyter)`,
    ignore: withoutPython(),
    fn: async () => {
      const notebook = notebooks.find((one) => one.name === name)!;
      const { execution, shown } = await executeInJupyter(notebook);
      assert.equal(execution.outcome, "ok", JSON.stringify(execution.failure));
      assert.ok(shown !== null);
      for (const { id, source } of notebook.cells) {
        if (!/^await show\(/m.test(source)) continue;
        assert.ok(shown.texts.get(id)!.length > 0, `${id} shows nothing`);
      }
      checkBundles(shown);
      await check((cell) => shown.texts.get(cell)!.join("\n"));
    },
  });
}

/**
 * Checks that every output has an HTML and a text form, that at least one output also has an SVG form, and that no
 * output runs scripts or loads resources.
 */
function checkBundles({ bundles }: Shown): void {
  assert.ok(bundles.some((bundle) => "image/svg+xml" in bundle));
  for (const bundle of bundles) {
    assert.ok("text/html" in bundle && "text/plain" in bundle);
    const markup = [bundle["text/html"]].flat().join("");
    assert.doesNotMatch(markup, /<script|<iframe|\son\w+=|src=|url\(/i);
  }
}

notebookTest(
  "step_through_a_conversation",
  "which turn decided",
  (text) => {
    assert.match(text("end"), /^reward: 1$/m);
    assert.match(text("call"), /agent calls: find_user_id_by_email/);
    assert.match(
      text("diagnosis"),
      /first decisive error: turn \d+, cancel_pending_order/,
    );
    assert.equal(
      text("distance"),
      "as the expert did: 0 wrong, with another reason: 1 wrong, taken back: 3 wrong",
    );
  },
);

notebookTest(
  "analyze_rewards",
  "what the runs' own metrics say",
  async (text) => {
    const runs = ["failures-full", "failures-quarter"];
    for (const name of runs) {
      const { lines } = await readRun(`${DIR}/runs/${name}`);
      const last = lines.findLast((line) =>
        line.phase === "eval" && line.split === "test" &&
        line.decoding === "sampled"
      );
      assert.ok(last?.phase === "eval");
      const passes = last.passK.map((value, i) =>
        `pass^${i + 1} ${value.toFixed(2)}`
      );
      assert.ok(text("compare").includes(`${name}: ${passes.join(", ")}`));
    }
    assert.match(
      text("config"),
      /^key +failures-full +failures-quarter\n[─ ]+\nrl\.negativeWeight +1 +0\.25$/,
    );
    const [, kinds = ""] = text("decisive").split(/what decided\n/);
    const [counted = ""] = kinds.split("\n\n");
    const failed = counted.split("\n").slice(2)
      .reduce((sum, line) => sum + Number(line.split(/ {2,}/)[1]), 0);
    const solved = /solved (\d+)%/g;
    assert.ok(failed > 0);
    assert.match(text("by-reason"), solved);
  },
);

notebookTest(
  "train_the_tiny_policy",
  "that the policy learns",
  (text) => {
    const loss = Number(/loss (\S+) at step 70/.exec(text("cold"))?.[1]);
    assert.ok(loss < 0.3, `the loss is ${loss}`);
    const curves = text("loop");
    const reward = Number(/train reward ([\d.]+)/.exec(curves)?.[1]);
    assert.ok(reward > 0.2, curves);
    assert.match(curves, /^ *12 /m);
    assert.match(text("sure"), /<\|assistant\|>/);
    assert.match(text("again"), /^after +[01]/m);
  },
);

notebookTest(
  "from_mock_data_to_a_slime_run",
  "what a launch would run",
  (text) => {
    assert.match(text("worlds"), /^retail +110/m);
    assert.match(text("worlds"), /^airline +110/m);
    assert.match(text("audit"), /a reason for exclusion +0$/m);
    assert.match(text("broken"), /a reason for exclusion +3$/m);
    assert.match(text("task"), /^expert .* turns?$/m);
    assert.match(text("command"), /^python3 train\.py \\\n {2}--/);
    assert.match(text("what-if"), /^as it is: \d+ GB of 80, fits;/);
    assert.match(text("what-if"), /no recomputing: \d+ GB of 80, does not fit/);
  },
);

notebookTest(
  "bring_your_own_model_or_agent",
  "that a majority errs less",
  (text) => {
    const passes = [...text("compare").matchAll(/pass\^4 ([\d.]+)/g)]
      .map(([, value]) => Number(value));
    assert.equal(passes.length, 2);
    assert.ok(passes[1]! > passes[0]!, text("compare"));
    assert.match(text("user-compare"), /^patient +5 +user_stop +0\.900/m);
    assert.match(
      text("user-compare"),
      /bad mood .*user_stop +0 +missing_write/,
    );
  },
);
