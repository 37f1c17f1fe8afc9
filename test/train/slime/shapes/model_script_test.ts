import assert from "node:assert/strict";
import fc from "fast-check";
import { join } from "node:path";
import { DataError } from "../../../../env/errors.ts";
import { readModelScript } from "../../../../train/slime/shapes/model_script.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

/** Scripts, keyed by name. Together, they have every construct that slime's model scripts use. */
const SCRIPTS: Readonly<Record<string, string>> = {
  "dense.sh": `#!/bin/bash
# A model.
MODEL_ARGS=(
   --swiglu   # the gate
   --num-layers 12
   --normalization "RMSNorm"
   --norm-epsilon 1e-6

   --rotary-base "\${MODEL_ARGS_ROTARY_BASE:-1000000}"
   --quoted 'one  word' two\\ words ""
)`,
  "sums.sh": `DENSE=1; SPARSE=5
WIDTH=128
SHARED=$((WIDTH * 2))
BOTH=$(($WIDTH*2 + DENSE))
MODEL_ARGS=(
    --num-layers $((DENSE + SPARSE)) --shared $SHARED \\
    --both \${BOTH}
    --moe-layer-freq [0]*$DENSE+[1]*$SPARSE
)
`,
  "filled.sh": `NLAYERS="\${MODEL_ARGS_NUM_LAYERS:-6}"
FIRST=2

arr=()
for ((i=0; i<NLAYERS; i++)); do
  if (( i < FIRST )); then
    arr+=(0)
  else
    arr+=(1)
  fi
done

printf -v FREQUENCY "[%s]" "$(IFS=', '; echo "\${arr[*]}")"
export MODEL_ARGS=(--num-layers $NLAYERS --moe-layer-freq "$FREQUENCY")
`,
  "sourced.sh":
    `MODEL_ARGS_NUM_LAYERS=3 source "$(dirname -- "\${BASH_SOURCE[0]}")/filled.sh"\n`,
  "changed.sh":
    `source "$(cd -- "$(dirname -- "\${BASH_SOURCE[0]}")" && pwd)/dense.sh"

MODEL_ARGS[2]="24"
MODEL_ARGS+=(--more)
MODEL_ARGS=("\${MODEL_ARGS[@]}" --last)
`,
};

function wordsOf(
  scripts: Readonly<Record<string, string>>,
  name: string,
  variables: Readonly<Record<string, string>> = {},
): string[] {
  return readModelScript({
    path: `models/${name}`,
    variables,
    read(path) {
      const text = scripts[path.replace("models/", "")];
      if (text === undefined) throw new DataError(`no ${path}`);
      return text;
    },
  });
}

/** Returns the elements of `MODEL_ARGS` after bash has run a script. */
async function askBash(
  path: string,
  env: Readonly<Record<string, string>>,
): Promise<string[]> {
  const { code, stdout } = await new Deno.Command("bash", {
    args: ["-c", `. "$0"; printf '%s\\0' "\${MODEL_ARGS[@]}"`, path],
    env,
  }).output();
  assert.equal(code, 0);
  return new TextDecoder().decode(stdout).split("\0").slice(0, -1);
}

Deno.test("readModelScript() returns the arguments that bash would", () =>
  inTempDir(async (dir) => {
    for (const [name, text] of Object.entries(SCRIPTS)) {
      await Deno.writeTextFile(join(dir, name), text);
    }
    for (const name of Object.keys(SCRIPTS)) {
      for (
        const variables of [{}, {
          MODEL_ARGS_ROTARY_BASE: "5000000",
          MODEL_ARGS_NUM_LAYERS: "4",
        }]
      ) {
        const theirs = await askBash(join(dir, name), variables);
        assert.ok(theirs.length > 0);
        assert.deepEqual(wordsOf(SCRIPTS, name, variables), theirs, name);
      }
    }
  }));

Deno.test("readModelScript() rejects a script that it would have to run, with the line", () => {
  const cases: [string, RegExp][] = [
    ["A=1\nrm -rf /", /line 2: .*rm -rf/],
    ["A=$(cat /etc/passwd)", /line 1: this syntax is not supported/],
    ["A=`id`", /line 1: this syntax is not supported/],
    ["MODEL_ARGS=(--a $(id))", /line 1/],
    ["MODEL_ARGS=(--a | b)", /line 1/],
    ["MODEL_ARGS=(--a", /an array is not closed/],
    ['MODEL_ARGS=("--a)', /a quote is not closed/],
    ["MODEL_ARGS=(--a $MISSING)", /MISSING is not set/],
    ["MODEL_ARGS=(--a $((1 / 0)))", /is not set|not a number/],
    ["MODEL_ARGS[0]=x", /MODEL_ARGS\[0\] does not exist/],
    ["if true; then A=1; fi", /line 1/],
    ["A=1", /does not set MODEL_ARGS/],
    ["source loop.sh", /source each other/],
    [
      "N=100000; K=0\nfor ((i=0; i<N; i++)); do if (( i < K )); then a+=(0) else a+=(1) fi done",
      /layers exceed the limit of 1000/,
    ],
  ];
  for (const [text, reason] of cases) {
    assert.throws(
      () => wordsOf({ "loop.sh": text }, "loop.sh"),
      (error) => error instanceof DataError && reason.test(error.message),
      text,
    );
  }
});

Deno.test("readModelScript() returns arguments or throws a DataError, whatever the text", () => {
  const piece = fc.constantFrom(
    ...["MODEL_ARGS=(", ")", "A=", "$A", "${A:-1}", "$((", "))", '"', "'"],
    ...["\n", " ", ";", "#", "\\", "--x", "source x", "printf -v A ", "(", "&"],
    ...["for ((i=0; i<A; i++)); do", "$(", "`", "<", "é"],
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      try {
        assert.ok(wordsOf({ "x.sh": pieces.join("") }, "x.sh").length > 0);
      } catch (error) {
        assert.ok(error instanceof DataError, String(error));
      }
    }),
    { numRuns: 300 },
  );
});
