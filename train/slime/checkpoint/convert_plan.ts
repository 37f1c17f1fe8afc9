/**
 * Plans how slime's tools convert a checkpoint: the command, its output directory, and the expected size. Has no side
 * effects.
 *
 * The tools leave incomplete output behind, and one of them nests its result in an existing directory. The command
 * therefore writes into another directory alongside the target. That directory becomes the target after the conversion,
 * and the verification if there is one, have succeeded.
 *
 * @see slime `tools/convert_hf_to_torch_dist.py`, `tools/convert_torch_dist_to_hf.py` at 624b824. slime's parallel
 * converter to Hugging Face's format is not used, because it skips tensors that it fails to convert.
 */

import { quoteWords, type ShellCommand } from "../hosts/shell.ts";
import { modelArguments } from "../model_shapes.ts";
import { type CheckpointShape, layoutOf } from "./checkpoint_layout.ts";
import { elements } from "./tensor.ts";
import type { Format } from "./tensor_view.ts";

/** The options of a conversion. All paths are on the machine that converts. */
export interface ConversionOptions {
  /** The format of `from`. */
  readonly format: Format;
  readonly from: string;
  /** The directory that contains the weights. For Megatron's format, the directory of an iteration. */
  readonly input: string;
  /** The target, without a trailing slash. */
  readonly to: string;
  /**
   * The model's directory in Hugging Face's format, which provides the files that are not weights. Only used to convert
   * from Megatron's format.
   */
  readonly origin: string;
  readonly shape: CheckpointShape;
  readonly slime: string;
  readonly megatron: string;
  /** The path of a Python interpreter with slime's packages. */
  readonly python: string;
  /** The number of GPUs that share the work. Converting from Megatron's format needs none. */
  readonly gpus: number;
}

/** A planned conversion. */
export interface ConversionPlan extends ConversionOptions {
  /** The tool's output directory, which is alongside the target on the same disk. */
  readonly partial: string;
  /**
   * The command that removes the output of an earlier attempt and converts. A lock prevents two such commands from
   * running at once.
   */
  readonly command: ShellCommand;
  /** The words of the tool's command line, unquoted. */
  readonly words: readonly string[];
  /** The approximate size of the result in bytes. */
  readonly expectedBytes: number;
}

/** The exit status of `flock` if another conversion into the same target is running. */
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
    // Weights are bfloat16.
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
