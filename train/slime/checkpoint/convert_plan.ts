/**
 * How slime's own tools convert a checkpoint: the command, where it writes, and how much that will be. Pure.
 *
 * The tools write where they are told and leave what they have begun, and one of them nests its result in an older
 * one. So the command writes into a directory of its own beside the target, which becomes the target once it is
 * verified.
 *
 * @see slime `tools/convert_hf_to_torch_dist.py`, `tools/convert_torch_dist_to_hf.py` at 624b824. The parallel
 * back-converter is not used: it passes over tensors that fail.
 */

import { quoteWords, type ShellCommand } from "../hosts/shell.ts";
import { modelArguments } from "../model_shapes.ts";
import { type CheckpointShape, layoutOf } from "./checkpoint_layout.ts";
import { elements } from "./tensor.ts";
import type { Format } from "./tensor_view.ts";

/** What is converted, by paths of the machine that does it. */
export interface ConversionOptions {
  /** The format of `from`. */
  readonly format: Format;
  readonly from: string;
  /** The directory that holds the weights: of one iteration, where `from` is Megatron's. */
  readonly input: string;
  /** Without a slash at its end. */
  readonly to: string;
  /** The model's directory in Hugging Face's format, for what is no weight: needed from Megatron's. */
  readonly origin: string;
  readonly shape: CheckpointShape;
  readonly slime: string;
  readonly megatron: string;
  /** The interpreter that has slime. */
  readonly python: string;
  /** GPUs that share the work; the tool back needs none. */
  readonly gpus: number;
}

/** A conversion that is planned. */
export interface ConversionPlan extends ConversionOptions {
  /** Where the tool writes: beside the target, on the same disk. */
  readonly partial: string;
  /** Removes what an earlier try left, and converts; only one at a time. */
  readonly command: ShellCommand;
  /** The tool's own words, as a person would type them. */
  readonly words: readonly string[];
  /** About what the result takes on disk. */
  readonly expectedBytes: number;
}

/** What `flock` answers where another conversion writes there. */
export const BUSY = 75;

/** Plans a conversion. */
export function planConversion(options: ConversionOptions): ConversionPlan {
  const { to, slime, megatron, shape } = options;
  const partial = `${to}.converting`;
  const words = toolWords(options, partial);
  const tool = `rm -rf ${quoteWords([partial])} && exec ${quoteWords(words)}`;
  return {
    ...options,
    partial,
    words,
    command: {
      script: quoteWords([
        ...["flock", "--nonblock", "--conflict-exit-code", String(BUSY)],
        `${partial}.lock`,
        ...["sh", "-c", tool],
      ]),
      cwd: slime,
      env: {
        PYTHONPATH: `${megatron}:${slime}`,
        PYTHONUNBUFFERED: "1",
        CUDA_DEVICE_MAX_CONNECTIONS: "1",
      },
    },
    // weights as bfloat16
    expectedBytes: 2 * layoutOf(shape).reduce(
      (sum, entry) => sum + elements(entry.shape),
      0,
    ),
  };
}

function toolWords(
  { format, from, input, origin, shape, python, gpus }: ConversionOptions,
  partial: string,
): string[] {
  if (format === "torch_dist") {
    return [
      ...[python, "tools/convert_torch_dist_to_hf.py"],
      ...["--input-dir", input],
      ...["--output-dir", partial],
      ...["--origin-hf-dir", origin],
    ];
  }
  const ranks = Math.min(gpus, shape.layers);
  const launcher = ranks > 1
    ? ["-m", "torch.distributed.run", "--nproc-per-node", String(ranks)]
    : [];
  return [
    ...[python, ...launcher, "tools/convert_hf_to_torch_dist.py"],
    ...modelArguments(shape),
    ...["--hf-checkpoint", from],
    ...["--save", partial],
  ];
}
