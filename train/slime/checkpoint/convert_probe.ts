/** Inspects a machine before a conversion: the source, an existing target, slime's tools, GPUs and disk space. */

import { dirname } from "node:path/posix";
import { z } from "zod";
import { ConfigError, HostError } from "../../../env/errors.ts";
import { quote, type Shell } from "../hosts/shell.ts";
import type { Format } from "./tensor_view.ts";

/** Options for {@linkcode probeConversion}. */
export interface ProbeOptions {
  readonly from: string;
  /**
   * The target, without a trailing slash; `undefined` if there is none. In that case, earlier output and disk space are
   * looked up alongside `from`.
   */
  readonly to?: string | undefined;
  readonly slime: string;
  /** The hint of the error if `from` is not a checkpoint. Default: `pass a checkpoint's directory`. */
  readonly absentHint?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

const bit = z.enum(["0", "1"]).transform((word) => word === "1");
const number = z.string().regex(/^\d+$/).transform(Number);

const probeSchema = z.object({
  format: z.enum(["hf", "torch_dist", "both", "none"]),
  /** The directory that contains the weights. For Megatron's format, the directory of an iteration. */
  input: z.string(),
  /** Whether the target exists. */
  to: bit,
  /** Whether an earlier attempt left output alongside the target. */
  partial: bit,
  /** Whether an older target that was moved aside still exists. */
  replaced: bit,
  /** Whether slime's tools exist, judging by `tools/convert_hf_to_torch_dist.py`. */
  tool: bit,
  /** Whether this version of slime can load Hugging Face directories directly. */
  direct: bit,
  gpus: number,
  /** The number of free bytes on the target's disk; `undefined` if unknown. */
  free: number.or(z.literal("").transform(() => undefined)),
});

/** The result of {@linkcode probeConversion}. */
export type Probe = Readonly<z.infer<typeof probeSchema>> & {
  readonly format: Format;
};

/**
 * Inspects the machine with a single command.
 * @throws {ConfigError} If `from` is not a checkpoint, or contains checkpoints in both formats.
 * @throws {HostError} If the machine cannot be inspected.
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
      `Cannot inspect "${from}" on ${shell.name}: ${
        stderr.trim() || stdout.trim() || "the host printed nothing"
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
  { shell, format, absentHint = "pass a checkpoint's directory" }: {
    readonly shell: Shell;
    readonly format: "both" | "none";
    readonly absentHint?: string | undefined;
  },
): ConfigError {
  const where = `"${from}" on ${shell.name} is`;
  return format === "none"
    ? new ConfigError(
      `${where} not a checkpoint: it has neither a config.json nor a latest_checkpointed_iteration.txt`,
      { hint: absentHint },
    )
    : new ConfigError(
      `${where} both a Hugging Face model and a Megatron checkpoint`,
      { hint: "move one of them to another directory" },
    );
}

/** Returns the script that {@linkcode probeConversion} runs. Each line of its output has the form `name=value`. */
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
