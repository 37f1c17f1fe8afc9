/**
 * Tests that Python source that would take too much time or memory is rejected quickly, with the position of the cause.
 */

import assert from "node:assert/strict";
import { importTauBench } from "../../../../../env/benchmarks/tau/import/import_tau_bench.ts";
import { checkoutFiles } from "../../../../support/tau_checkout.ts";

const RULES = "tau_bench/envs/retail/rules.py";
const TOOLS = "tau_bench/envs/retail/tools/__init__.py";

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}

/** Creates a chain of assignments, each of which doubles the previous value. */
function doubling(first: string, twice: (name: string) => string): string {
  const lines = range(60).map((i) => `a${i} = ${twice(`a${i - 1}`)}\n`);
  return `a0 = ${first}\n${lines.join("")}RULES = a60\n`;
}

const CASES: Readonly<
  Record<string, [files: Record<string, string>, message: RegExp]>
> = {
  "a name defined by itself": [
    { [RULES]: "RULES = RULES\n" },
    /rules\.py:1:9: "RULES" is defined in terms of itself \("RULES" from "RULES"\)/,
  ],
  "a name that is redefined as its double": [
    { [RULES]: `RULES = "x"\n${"RULES = RULES + RULES\n".repeat(60)}` },
    /rules\.py:61:9: "RULES" is defined in terms of itself/,
  ],
  "names that form a cycle": [
    { [RULES]: "RULES = [A]\nA = [B]\nB = RULES\n" },
    /rules\.py:1:9: "RULES" is defined .*\("RULES" from "A" from "B" from "RULES"\)/,
  ],
  "a module that imports itself": [
    { [RULES]: "from .rules import RULES\n" },
    /rules\.py:1:1: "RULES" is defined in terms of itself/,
  ],
  "modules that import each other": [
    {
      [RULES]: "from .other import RULES\n",
      "tau_bench/envs/retail/other.py": "from .rules import RULES\n",
    },
    /rules\.py:1:1: "RULES" is defined in terms of itself/,
  ],
  "modules that import each other under other names": [
    {
      [RULES]: "from .other import X as RULES\n",
      "tau_bench/envs/retail/other.py":
        "from .rules import RULES as Y\nX = [Y]\n",
    },
    /rules\.py:1:1: "RULES" is defined in terms of itself/,
  ],
  "a class whose imports form a cycle": [
    {
      [TOOLS]: "from .a import Pay\nALL_TOOLS = [Pay]\n",
      "tau_bench/envs/retail/tools/a.py": "from .b import Pay\n",
      "tau_bench/envs/retail/tools/b.py": "from .a import Pay\n",
    },
    /tools\/a\.py:1:1: "Pay" is defined in terms of itself/,
  ],
  "a package that imports its own class": [
    { [TOOLS]: "from . import Pay\nALL_TOOLS = [Pay]\n" },
    /__init__\.py:1:1: "Pay" is defined in terms of itself/,
  ],
  "an import from outside of the checkout": [
    { [RULES]: "from ........etc.passwd import RULES\n" },
    /rules\.py:1:1: the import leads out of the checkout/,
  ],
  "a text that doubles": [
    { [RULES]: doubling('"x"', (name) => `${name} + ${name}`) },
    /rules\.py:\d+:\d+: the values in the file are too large for its size/,
  ],
  "a format that doubles": [
    { [RULES]: doubling('"x"', (name) => `f"{${name}}{${name}}"`) },
    /rules\.py:\d+:\d+: the values in the file are too large for its size/,
  ],
  "a list that doubles": [
    { [RULES]: doubling('["x"]', (name) => `${name} + ${name}`) },
    /rules\.py:\d+:\d+: the values in the file are too large for its size/,
  ],
  "a list of lists that doubles": [
    { [RULES]: doubling('["x"]', (name) => `[${name}, ${name}]`) },
    /rules\.py:\d+:\d+: the values in the file are too large for its size/,
  ],
  "a dictionary that doubles": [
    { [RULES]: doubling("{}", (name) => `{"a": ${name}, "b": ${name}}`) },
    /rules\.py:\d+:\d+: the values in the file are too large for its size/,
  ],
  "a large value that is used often": [
    {
      [RULES]: `A = "${"x".repeat(10_000)}"\nRULES = [${
        "A, ".repeat(10_000)
      }]\n`,
    },
    /rules\.py:2:\d+: the values in the file are too large for its size/,
  ],
  "a tool that is listed often": [
    {
      [TOOLS]: `from .first import Pay\nALL_TOOLS = [${
        "Pay, ".repeat(30_000)
      }]\n`,
    },
    /first\.py:\d+:\d+: the values in the file are too large for its size/,
  ],
  "a long chain of names": [
    {
      [RULES]: `RULES = a5000\na0 = "x"\n${
        range(5000).map((i) => `a${i} = a${i - 1}\n`).join("")
      }`,
    },
    /rules\.py:\d+:\d+: "a49\d\d" is one of more than 100 names/,
  ],
  "nested lists": [
    { [RULES]: `RULES = ${"[".repeat(1000)}${"]".repeat(1000)}\n` },
    /rules\.py:1:409: the expression is nested more than 400 levels deep/,
  ],
  "lists nested beyond what can be parsed": [
    { [RULES]: `RULES = ${"[".repeat(100_000)}${"]".repeat(100_000)}\n` },
    /rules\.py:1:\d+: the code is not valid Python/,
  ],
  "a sum beyond what can be parsed": [
    { [RULES]: `RULES = "a"${' + "a"'.repeat(100_000)}\n` },
    /rules\.py:1:\d+: the code is not valid Python, or it is nested too deeply/,
  ],
  "nested parentheses": [
    { [RULES]: `RULES = ${"(".repeat(1000)}1${")".repeat(1000)}\n` },
    /rules\.py:1:\d+: the expression is nested more than 400 levels deep/,
  ],
  "lists nested by names": [
    {
      [RULES]: `a0 = ${"[".repeat(300)}${"]".repeat(300)}\nRULES = ${
        "[".repeat(300)
      }a0${"]".repeat(300)}\n`,
    },
    /rules\.py:2:309: the expression is nested more than 400 levels deep/,
  ],
  "a long sum": [
    { [RULES]: `RULES = "a"${' + "a"'.repeat(450)}\n` },
    /rules\.py:1:\d+: the expression is nested more than 400 levels deep/,
  ],
  "a long sum of lists": [
    { [RULES]: `RULES = [1]${" + [1]".repeat(450)}\n` },
    /rules\.py:1:\d+: the expression is nested more than 400 levels deep/,
  ],
  "many signs": [
    { [RULES]: `RULES = ${"-".repeat(2000)}1\n` },
    /rules\.py:1:\d+: the expression is nested more than 400 levels deep/,
  ],
  "a number with too many digits": [
    { [RULES]: `RULES = ${"9".repeat(1_000_000)}\n` },
    /rules\.py:1:9: a number may have at most 4300 digits/,
  ],
  "text that is not Python": [
    { [RULES]: "match ".repeat(100_000) },
    /rules\.py:1:\d+: the code is not valid Python/,
  ],
  "brackets that stay open": [
    { [RULES]: "(".repeat(200_000) },
    /rules\.py:1:\d+: the code is not valid Python/,
  ],
  "deeply nested rows": [
    {
      "tau_bench/envs/retail/data/users.json": `{"1": ${"[".repeat(100_000)}${
        "]".repeat(100_000)
      }}`,
    },
    /users\.json/,
  ],
  "a file that is too large": [
    { [RULES]: " ".repeat(17 * 2 ** 20) },
    /rules\.py:1: the file has \d+ characters; the limit is \d+/,
  ],
};

for (const [what, [changed, message]] of Object.entries(CASES)) {
  Deno.test(`importTauBench() quickly rejects ${what} and names its position`, async () => {
    const files = checkoutFiles();
    for (const [path, text] of Object.entries(changed)) files.set(path, text);
    const from = performance.now();
    await assert.rejects(
      importTauBench({
        root: "c",
        read: (path) => Promise.resolve(files.get(path.replace(/^c\//, ""))),
      }),
      (error: Error) => {
        assert.equal(error.name, "DataError", error.stack);
        assert.match(error.message, message);
        assert.ok(error.message.length < 1000);
        return true;
      },
    );
    // Most cases take milliseconds; without limits, they would take minutes or all memory.
    assert.ok(performance.now() - from < 10_000);
  });
}

Deno.test("importTauBench() evaluates each of several names that refer to each other once", async () => {
  const files = checkoutFiles();
  files.set(
    RULES,
    'from .words import A as B\nRULES = [B, B + C]\nC = D\nD = "d" "e"\n',
  );
  files.set("tau_bench/envs/retail/words.py", 'A = "a"\n');
  const imported = await importTauBench({
    root: "c",
    read: (path) => Promise.resolve(files.get(path.replace(/^c\//, ""))),
  });
  assert.deepEqual(
    JSON.parse(imported.files.get("retail/rules.json") ?? ""),
    ["a", "ade"],
  );
});
