import assert from "node:assert/strict";
import { isContextFull } from "../../../env/models/context_full.ts";

/** Error messages of several providers for a full context, with invented numbers. */
const FULL: [provider: string, words: string][] = [
  [
    "OpenAI",
    "This model's maximum context length is 4097 tokens. However, your messages resulted in 4294 tokens. Please reduce the length of the messages.",
  ],
  [
    "OpenAI, newer",
    "Your input exceeds the context window of this model. Please adjust your input and try again.",
  ],
  [
    "vLLM",
    "The decoder prompt (length 17772) is longer than the maximum model length of 16384. Make sure that `max_model_len` is no smaller than the number of text tokens.",
  ],
  [
    "vLLM",
    "Prompt length of 5016 is longer than the maximum model length of 4096.",
  ],
  [
    "vLLM",
    "'max_tokens' or 'max_completion_tokens' is too large: 4096. This model's maximum context length is 8192 tokens and your request has 6000 input tokens (4096 > 8192 - 6000).",
  ],
  [
    "SGLang",
    "The input (5000 tokens) is longer than the model's context length (4096 tokens).",
  ],
  [
    "SGLang",
    "Requested token count exceeds the model's maximum context length of 4096 tokens. You requested a total of 5000 tokens: 4900 tokens from the input messages and 100 tokens for the completion.",
  ],
  ["Anthropic", "prompt is too long: 206640 tokens > 200000 maximum"],
  [
    "Anthropic",
    "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length or `max_tokens` and try again",
  ],
  ["Bedrock", "Input is too long for requested model."],
  [
    "Gemini",
    "The input token count (1500000) exceeds the maximum number of tokens allowed (1048576).",
  ],
  [
    "Mistral",
    "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
  ],
  [
    "Hugging Face TGI",
    "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4000 `inputs` tokens and 512 `max_new_tokens`",
  ],
  [
    "llama.cpp",
    "the request exceeds the available context size. try increasing the context size or enable context shift",
  ],
  ["Ollama", "the input length exceeds the context length"],
  [
    "xAI",
    "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
  ],
  [
    "Cohere",
    "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 5000.",
  ],
  [
    "Cerebras",
    "Please reduce the length of the messages or completion. Current length is 8500 while limit is 8192",
  ],
  [
    "Moonshot",
    "Invalid request: Your request exceeded model token limit: 8192",
  ],
  [
    "DashScope",
    "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 129024]",
  ],
  ["MiniMax", "invalid params, context window exceeds limit"],
  ["Perplexity", "The total length of all messages is too long."],
  ["Zhipu", "Prompt 超长"],
  [
    "OpenRouter",
    "This endpoint's maximum context length is 131072 tokens. However, you requested about 140000 tokens.",
  ],
  [
    "GitHub",
    "prompt token count of 130000 exceeds the limit of 128000",
  ],
  [
    "GitHub Models",
    "Request body too large for gpt-4o model. Max size: 8000 tokens.",
  ],
  [
    "a gateway",
    "length of prompt_tokens (163280) must be less than max_seq_len (32768).",
  ],
  [
    "TensorRT-LLM",
    "Prompt length (5000) exceeds maximum input length (4096)",
  ],
  [
    "TensorRT-LLM",
    "The sum of prompt length (4000.0), query length (0) and max_tokens should not exceed max_num_tokens (4096)",
  ],
  [
    "Vertex",
    "Unable to submit request because the input token count is 40000 but model only supports up to 32768. Reduce the input token count and try again.",
  ],
  [
    "Cloudflare",
    "The estimated number of input and maximum output tokens (7500) exceeded this model context window limit (7400).",
  ],
  [
    "OpenAI, newer",
    "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 280000 tokens.",
  ],
  [
    "llama-cpp-python",
    "Requested tokens (5000) exceed context window of 4096",
  ],
  [
    "Volcengine",
    "Total tokens of image and text exceed max message tokens.",
  ],
  ["Baidu", "the length of messages must be less than 20000 characters"],
  [
    "LiteLLM",
    "litellm.ContextWindowExceededError: litellm.BadRequestError",
  ],
  [
    "a gateway",
    "Your request has 140000 tokens, which is more than the maximum of 131072",
  ],
  ["a gateway", "The context is full"],
  [
    "LM Studio",
    "Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens",
  ],
];

for (const [provider, words] of FULL) {
  Deno.test(`isContextFull() recognizes ${provider}'s wording: ${words.slice(0, 50)}`, () => {
    assert.ok(isContextFull(words));
    assert.ok(isContextFull(words.toUpperCase()));
  });
}

Deno.test("isContextFull() uses the code if the message says nothing", () => {
  for (
    const name of [
      "context_length_exceeded",
      "exceed_context_size",
      "request_too_large",
    ]
  ) assert.ok(isContextFull("Bad request", ["invalid_request", name]));
});

Deno.test("isContextFull() ignores other rejections", () => {
  const others = [
    "Incorrect API key provided: [key]",
    "The model `gpt-9` does not exist or you do not have access to it.",
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    "max_tokens is too large: 100000. This model supports at most 16384 completion tokens, whereas you provided 100000.",
    "Request too large for model `llama-3.1-8b` in organization `o` on tokens per minute (TPM): Limit 6000, Requested 7000",
    "Rate limit reached for gpt-4o on tokens per min (TPM): Limit 30000, Used 29000. The limit would be exceeded; tokens per minute.",
    "You exceeded your current quota, please check your plan and billing details.",
    "Invalid value for 'temperature': must be at most 2",
    "Missing `reasoning_content` field in the assistant message at message index 2.",
    "Function call is missing a thought_signature in functionCall parts.",
    "tool_choice is not supported",
    "",
  ];
  for (const words of others) assert.ok(!isContextFull(words), words);
});

Deno.test("isContextFull() takes bounded time for a long text", () => {
  const seeds = [
    "prompt ",
    "token ",
    "exceed ",
    "reduce the ",
    "输入",
    "input",
  ];
  for (const seed of seeds) {
    const text = seed.repeat(2 ** 22 / seed.length);
    const start = performance.now();
    isContextFull(text);
    assert.ok(performance.now() - start < 2000, seed);
  }
});
