/** Maps each tool call format to its parser. */

import { parseDeepseekV3 } from "./deepseekv3.ts";
import { parseGlm45 } from "./glm45.ts";
import { parseGptOss } from "./gpt_oss.ts";
import { parseHermes } from "./hermes.ts";
import { parsePythonic } from "./pythonic.ts";
import { parseQwen25 } from "./qwen25.ts";
import { parseQwen3Coder } from "./qwen3_coder.ts";
import type { ToolCallFormat, ToolCallParser } from "./tool_call_format.ts";

/** The formats in which the token that ends an answer is part of a call. */
export const READS_STOP_TOKEN: ReadonlySet<ToolCallFormat> = new Set([
  "gpt-oss",
]);

/** The parser for each format. */
export const TOOL_CALL_PARSERS: Readonly<
  Record<ToolCallFormat, ToolCallParser>
> = {
  qwen25: parseQwen25,
  qwen3_coder: parseQwen3Coder,
  glm45: parseGlm45,
  hermes: parseHermes,
  pythonic: parsePythonic,
  deepseekv3: parseDeepseekV3,
  "gpt-oss": parseGptOss,
};
