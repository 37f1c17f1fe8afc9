/** Looks at a machine before a conversion: what is to be converted, what is there already, the tools, GPUs and disk. */

import { dirname } from "node:path/posix";
import { z } from "zod";
import { ConfigError, HostError } from "../../../env/errors.ts";
import { quote, type Shell } from "../hosts/shell.ts";
import type { Format } from "./tensor_view.ts";

/** Where to look. */
export interface ProbeOptions {
  readonly from: string;
  /** Without a slash at its end; missing where only `from` and the tools are looked at. */
  readonly to?: string | undefined;
  readonly slime: string;
  /** What to do where `from` is no checkpoint. Default: name one. */
  readonly absentHint?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

const bit = z.enum(["0", "1"]).transform((word) => word === "1");
const number = z.string().regex(/^\d+$/).transform(Number);

const probeSchema = z.object({
  format: z.enum(["hf", "torch_dist", "both", "none"]),
  /** The directory of the weights: that of the iteration, where the format is Megatron's. */
  input: z.string(),
  /** Whether the target is there. */
  to: bit,
  /** Whether an earlier try left something beside it. */
  partial: bit,
  /** Whether an older target was put aside and neither removed nor brought back. */
  replaced: bit,
  /** Whether slime's tools are there. */
  tool: bit,
  /** Whether slime loads Hugging Face directories by itself. */
  direct: bit,
  gpus: number,
  /** Free bytes of the disk that holds the target; `undefined` where it cannot be told. */
  free: number.or(z.literal("").transform(() => undefined)),
});

/** What is there. */
export type Probe = Readonly<z.infer<typeof probeSchema>> & {
  readonly format: Format;
};

/**
 * Looks once.
 * @throws {ConfigError} If `from` is no checkpoint.
 * @throws {HostError} If the machine cannot be asked.
 */
export async function probeConversion(
  shell: Shell,
  { from, to, slime, absentHint, signal }: ProbeOptions,
): Promise<Probe> {
  const { code, stdout, stderr } = await shell.run(
    { script: probeScript({ from, to, slime }) },
    { signal },
  );
  const found = probeSchema.safeParse(Object.fromEntries(
    stdout.split("\n").filter((line) => line.includes("=")).map((line) => {
      const at = line.indexOf("=");
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  ));
  if (code !== 0 || !found.success) {
    throw new HostError(
      `${shell.name} does not say what is in "${from}": ${
        stderr.trim() || stdout.trim()
      }`,
    );
  }
  const { format } = found.data;
  if (format === "both" || format === "none") {
    throw noCheckpoint(from, { shell, format, absentHint });
  }
  return { ...found.data, format };
}

function noCheckpoint(
  from: string,
  { shell, format, absentHint = "name the directory of one" }: {
    readonly shell: Shell;
    readonly format: "both" | "none";
    readonly absentHint?: string | undefined;
  },
): ConfigError {
  const where = `"${from}" on ${shell.name} is`;
  return format === "none"
    ? new ConfigError(
      `${where} no checkpoint: it has neither a config.json nor a latest_checkpointed_iteration.txt`,
      { hint: absentHint },
    )
    : new ConfigError(
      `${where} a model of Hugging Face and a checkpoint of Megatron at once`,
      { hint: "move one of the two away" },
    );
}

/** One round trip; each line is a name and what was found. */
function probeScript({ from, to, slime }: ProbeOptions): string {
  const target = to ?? from;
  const has = (name: string, path: string) =>
    `[ -e ${quote(path)} ] && echo ${name}=1 || echo ${name}=0`;
  return `f=${quote(from)}
m=0; h=0
[ -e "$f/latest_checkpointed_iteration.txt" ] || [ -e "$f/.metadata" ] && m=1
[ -e "$f/config.json" ] && h=1
case $m$h in 11) echo format=both;; 10) echo format=torch_dist;; 01) echo format=hf;; *) echo format=none;; esac
if [ -e "$f/latest_checkpointed_iteration.txt" ]; then
  t=$(tr -d '[:space:]' <"$f/latest_checkpointed_iteration.txt")
  case $t in *[!0-9]*|'') echo "input=$f/release";; *) printf 'input=%s/iter_%07d\\n' "$f" "$(echo "$t" | sed 's/^0*//;s/^$/0/')";; esac
else echo "input=$f"; fi
${to === undefined ? "echo to=0" : has("to", target)}
${has("partial", `${target}.converting`)}
${has("replaced", `${target}.replaced`)}
${has("tool", `${slime}/tools/convert_hf_to_torch_dist.py`)}
${
    has(
      "direct",
      `${slime}/slime/backends/megatron_utils/hf_to_megatron/__init__.py`,
    )
  }
echo "gpus=$(nvidia-smi -L 2>/dev/null | grep -c '^GPU ')"
d=${
    quote(dirname(target))
  }; while [ ! -e "$d" ] && [ "$d" != / ] && [ "$d" != . ]; do d=$(dirname "$d"); done
echo "free=$(df -Pk "$d" 2>/dev/null | awk 'NR==2 {printf "%.0f", $4 * 1024}')"`;
}
