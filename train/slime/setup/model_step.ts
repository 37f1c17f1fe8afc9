/** Creates the setup step that downloads the model from Hugging Face. */

import { join } from "node:path";
import { gigabytes } from "../../progress/amounts.ts";
import { pathWord, quote } from "../hosts/shell.ts";
import { type ModelShape, parameterCount } from "../model_shapes.ts";
import type { Step } from "./step.ts";

/** The number of bytes to allow for the tokenizer, the config and headers, in addition to the weights. */
const SMALL_FILES_BYTES = 32 * 2 ** 20;

/** Options for {@linkcode modelStep}: the model to download. */
export interface ModelOptions {
  /** The name of the repository, such as `Qwen/Qwen3-4B-Instruct-2507`. */
  readonly repository: string;
  readonly revision: string;
  readonly directory: string;
  readonly shape: ModelShape;
  readonly inside: boolean;
  /** The directory that contains the Python interpreter and `hf`; `undefined` to find `hf` on PATH. */
  readonly bin: string | undefined;
  /** The Hugging Face token, which is passed in the environment; `undefined` if there is none. */
  readonly token: string | undefined;
}

/** Returns the approximate size of the model on disk in bytes: its bf16 parameters and the small files. */
export function modelBytes(shape: ModelShape): number {
  return 2 * parameterCount(shape) + SMALL_FILES_BYTES;
}

/** Creates the step that downloads the model with `hf download`, which can resume an interrupted download. */
export function modelStep(options: ModelOptions): Step {
  const { repository, revision, directory, shape, inside, token } = options;
  const bytes = modelBytes(shape);
  return {
    id: "model",
    title: `${repository} in ${directory} (${gigabytes(bytes)})`,
    inside,
    checks:
      "config, tokenizer and every shard of the index exist, each with the length given in its header",
    check: checkScript(options, bytes),
    commands: () => [{
      script: `${hfPath(options)} hf download ${quote(repository)} --revision ${
        quote(revision)
      } --local-dir ${pathWord(directory)}`.trimStart(),
      env: {
        HF_HUB_DISABLE_PROGRESS_BARS: "1",
        ...token === undefined ? {} : { HF_TOKEN: token },
      },
      network: true,
    }],
    made: (was) =>
      was === "absent" ? { kind: "download", dir: directory } : undefined,
    size: {
      script: `du -sk ${
        pathWord(directory)
      } 2>/dev/null | awk '{print $1 * 1024}'`,
      bytes,
    },
  };
}

/**
 * Returns shell text that puts the interpreter's directory on PATH; empty if `bin` is `undefined`. In front of a
 * command, it applies to that command only; on a separate line, it applies to all commands that follow.
 */
function hfPath({ bin }: ModelOptions): string {
  return bin === undefined ? "" : `PATH=${pathWord(bin)}:$PATH`;
}

/**
 * Returns a script that checks that all files exist and that each shard has the right length. If a file is missing or
 * has the wrong length, the script also checks the free disk space. A shard consists of an 8-byte length, a JSON header
 * of that length, and the tensors. The length of the shard follows from the largest end offset in the header.
 */
function checkScript(options: ModelOptions, bytes: number): string {
  const dir = pathWord(options.directory);
  return `d=${dir}
${hfPath(options)}
missing=
for f in config.json tokenizer_config.json tokenizer.json; do [ -s "$d/$f" ] || missing="$missing $f"; done
shards=model.safetensors
if [ -e "$d/model.safetensors.index.json" ]; then
  shards=$(grep -o '[^"/]*[.]safetensors"' "$d/model.safetensors.index.json" | tr -d '"' | sort -u)
fi
count=0
for f in $shards; do
  if [ ! -s "$d/$f" ]; then missing="$missing $f"; continue; fi
  n=$(od -An -tu8 -N8 "$d/$f" | tr -d ' ')
  has=$(wc -c <"$d/$f" | tr -d ' ')
  end=$(tail -c +9 "$d/$f" | head -c "\${n:-0}" | grep -o '"data_offsets": *[[][0-9]*, *[0-9]*' | sed 's/.*[, ]//' | sort -n | tail -n 1)
  if [ -z "$end" ] || [ "$has" -ne $((8 + n + end)) ]; then missing="$missing $f"; fi
  count=$((count + 1))
done
[ -n "$missing" ] || say "done $count of $count shards"
needs hf "install it with pip install huggingface_hub"
p=$d; while [ ! -e "$p" ]; do p=$(dirname "$p"); done
free=$(df -Pk "$p" | awk 'NR == 2 {print $4}')
has=$( [ -e "$d" ] && du -sk "$d" | awk '{print $1}' || echo 0)
need=$((${Math.ceil(bytes / 1024)} - has))
[ "$need" -lt "$free" ] || say "refused the model needs $((need / 1048576)) GiB more, but $p has only $((free / 1048576)) GiB free; free space, or choose another directory with --set model.directory=DIR"
[ -n "$(ls -A "$d" 2>/dev/null)" ] || say "todo absent"
echo "todo missing$missing"`;
}

/** Returns the directory of an interpreter that is given as a path; `undefined` if it is given as a name. */
export function binOf(python: string): string | undefined {
  return python.includes("/") ? join(python, "..") : undefined;
}
