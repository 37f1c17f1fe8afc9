/** Creates chat models that call a test server and never wait before a retry. */

import type { CallPolicy } from "../../env/models/call_policy.ts";
import { resolveEndpoint } from "../../env/models/endpoints.ts";
import { createMeter } from "../../env/models/meter.ts";
import {
  openaiChatModel,
  type OpenAiOptions,
} from "../../env/models/openai.ts";
import type { ChatModel } from "../../env/types.ts";
import { testCaller } from "./callers.ts";

/** Creates a chat model that calls the server's `/v1` with the key `s3cret-key`. */
export function modelAt(
  server: { readonly url: string },
  policy:
    & Partial<CallPolicy>
    & Partial<Pick<OpenAiOptions, "extra" | "meter">> = {},
): ChatModel {
  const { extra = {}, meter = createMeter(), ...rest } = policy;
  return openaiChatModel({
    endpoint: resolveEndpoint({
      provider: "openai",
      baseUrl: `${server.url}/v1`,
      env: () => "s3cret-key",
    }),
    model: "Qwen/Qwen3-4B",
    source: "model",
    temperature: 0.5,
    maxTokens: 64,
    extra,
    caller: testCaller(rest),
    meter,
  });
}
