/**
 * Creates a fake slime checkout whose converters are shell scripts. They copy a prepared result, fail halfway, or hang.
 */

import { join } from "node:path";
import { type Pair, writePair } from "./checkpoints.ts";
import { inTempDir } from "./temp_dir.ts";

/** The behavior of the fake converters: they copy the prepared result, fail halfway, or hang. */
export type Behavior = "well" | "fail" | "hang";

/** A slime checkout with fake converters. */
export interface FakeSlime {
  readonly dir: string;
  /** The `--set` flags that make a recipe use the checkout. */
  readonly flags: readonly string[];
  /** Sets what the converters copy and how they behave from now on. */
  prepare(source: string, behavior?: Behavior): Promise<void>;
  /** Returns `PYTHONPATH` and the arguments of each call of a converter, oldest first. */
  calls(): Promise<string[]>;
}

/**
 * Creates a slime checkout with fake converters in `dir`.
 * @param words The last output of a converter that fails.
 */
export async function fakeSlime(
  dir: string,
  { words = "KeyError: HuggingFace checkpoint does not contain 'lm_head'" } =
    {},
): Promise<FakeSlime> {
  await Deno.mkdir(join(dir, "tools"), { recursive: true });
  for (
    const [tool, flag] of [["hf_to_torch_dist", "--save"], [
      "torch_dist_to_hf",
      "--output-dir",
    ]] as const
  ) {
    await Deno.writeTextFile(
      join(dir, "tools", `convert_${tool}.py`),
      script({ dir, flag, words }),
    );
  }
  const calls = join(dir, "calls");
  await Deno.writeTextFile(calls, "");
  return {
    dir,
    flags: [
      "--set",
      `paths.slime=${dir}`,
      "--set",
      "paths.python=sh",
      "--set",
      `paths.megatron=${dir}`,
    ],
    async prepare(source, behavior = "well") {
      await Deno.writeTextFile(join(dir, "source"), source);
      await Deno.writeTextFile(join(dir, "behavior"), behavior);
    },
    calls: async () =>
      (await Deno.readTextFile(calls)).trim().split("\n").filter((line) =>
        line !== ""
      ),
  };
}

function script(
  { dir, flag, words }: { dir: string; flag: string; words: string },
): string {
  return `echo "$PYTHONPATH $*" >>${dir}/calls
while [ $# -gt 0 ]; do case $1 in ${flag}) out=$2;; esac; shift; done
source=$(cat ${dir}/source)
[ ! -e "$out" ] || { echo "ValueError: Output directory $out already exists" >&2; exit 1; }
mkdir -p "$out"
case $(cat ${dir}/behavior) in
  fail) echo half >"$out/half"; echo "${words}" >&2; exit 1;;
  hang) echo half >"$out/half"; exec sleep 600;;
  *) cp -R "$source/." "$out"; echo saved;;
esac
`;
}

/** A pair of checkpoints, and a slime checkout with fake converters. */
export interface ConverterWorld extends Pair {
  readonly slime: FakeSlime;
  readonly dir: string;
  /** The directory that conversions write to. */
  readonly out: string;
  /** The directory of a faulty conversion result: a Megatron checkpoint that lacks a tensor. */
  readonly forgetful: string;
}

/**
 * Calls `body` with a temporary pair of checkpoints, and a fake slime checkout whose converters copy the Megatron
 * checkpoint.
 */
export async function inWorld(
  body: (world: ConverterWorld) => Promise<void>,
): Promise<void> {
  await inTempDir(async (dir) => {
    const slime = await fakeSlime(join(dir, "slime"));
    const pair = await writePair(dir);
    const forgetful = await writePair(join(dir, "forgetful"), {
      megatron: (chunks) =>
        chunks.filter(({ key }) => !key.endsWith("linear_proj.weight")),
    });
    await slime.prepare(pair.megatron);
    await body({
      ...pair,
      slime,
      dir,
      out: join(dir, "made", "out"),
      forgetful: forgetful.megatron,
    });
  });
}

/** Checks whether a path exists. */
export async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
