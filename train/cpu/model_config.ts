/** The shape of the embedded policy. */

import { z } from "zod";

const size = (multiple: number, most: number) =>
  z.number().int().positive().max(most).refine(
    (n) => n % multiple === 0,
    { error: `must be a multiple of ${multiple}` },
  );

/** The schema of a model's shape, in checkpoints and recipes; unknown keys are rejected. */
export const ModelConfigSchema = z.strictObject({
  vocab: size(32, 65536).default(512).describe(
    "Vocabulary size in tokens; a multiple of 32",
  ),
  dim: size(16, 2048).default(128).describe(
    "Width of the residual stream; a multiple of 16",
  ),
  layers: z.number().int().min(1).max(64).default(2).describe(
    "Number of transformer blocks",
  ),
  heads: z.number().int().min(1).max(64).default(4).describe(
    "Number of attention heads; dim / heads is a multiple of 16",
  ),
  hidden: size(16, 8192).default(352).describe(
    "Width of the SwiGLU MLP; a multiple of 16",
  ),
  pointerDim: size(16, 256).default(64).describe(
    "Width of the pointer head; a multiple of 16",
  ),
  contextLength: size(32, 65536).default(16384).describe(
    "Maximum tokens per sequence; a multiple of 32",
  ),
  ropeBase: z.number().positive().default(10000).describe(
    "Base of the rotary position embedding (RoPE); a larger base gives longer wavelengths",
  ),
}).readonly().refine(
  (c) => c.dim % c.heads === 0 && (c.dim / c.heads) % 16 === 0,
  {
    error:
      "expected a divisor of dim such that dim / heads is a multiple of 16",
    path: ["heads"],
  },
);

/** The shape of a model. */
export type ModelConfig = z.infer<typeof ModelConfigSchema>;

/** The model of `deno task train`, with 0.5M parameters. */
export const DEFAULT_MODEL: ModelConfig = Object.freeze(
  ModelConfigSchema.parse({}),
);
