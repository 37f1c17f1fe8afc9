/** Recognizes the errors with which servers report that a conversation exceeds the model's context. */

/**
 * Normalized values of an error's `code` or `type` field, as used by OpenAI, llama.cpp, Anthropic, LiteLLM, GitHub and
 * others.
 */
const NAMES: ReadonlySet<string> = new Set([
  "context_full",
  "context_length_exceeded",
  "context_limit_exceeded",
  "context_size_exceeded",
  "context_window_exceeded",
  "contextwindowexceeded",
  "exceed_context_size",
  "input_too_long",
  "max_tokens_exceeded",
  "model_context_window_exceeded",
  "model_max_prompt_tokens_exceeded",
  "prompt_too_long",
  "request_too_large",
  "string_above_max_length",
  "token_limit_exceeded",
  "tokens_limit_reached",
]);

/**
 * Patterns for the error messages of servers, matched against the message in lower case. Gaps between words are bounded
 * so that matching takes linear time.
 *
 * The comment above each pattern lists the providers that use the wording.
 */
const WORDS: readonly RegExp[] = [
  // OpenAI, DeepSeek, vLLM, SGLang, llama.cpp, Mistral, Fireworks, Ollama, LM Studio, MiniMax
  /context[ _-]?(?:length|window|size|limit|overflow)|maximum context/,
  // Reka, gateways
  /context\b[^.\n]{0,40}(?:exceed|full|too (?:long|large))|exceed[^.\n]{0,40}\bcontext/,
  // Anthropic, Bedrock, Gemini, Perplexity, TensorRT-LLM, GitHub Copilot
  /(?:prompt|inputs?|messages|conversation|history|sequence)\b[^.\n]{0,60}(?:too (?:long|large|big|many)|exceed|longer than)/,
  // vLLM, xAI, TensorRT-LLM, MLC
  /max(?:imum)?[ _](?:model|prompt|input|seq|sequence)[ _]?(?:len|tokens|size)|input length limit/,
  // Cohere, Bedrock, Gemini, Moonshot
  /too many (?:input |prompt )?tokens|tokens?\b[^\n]{0,60}exceed|exceed[^\n]{0,60}tokens?\b/,
  // Vertex, gateways
  /tokens?\b[^\n]{0,60}(?:more|greater|larger|longer) than[^\n]{0,40}(?:limit|max|allow|support)|exceed[^\n]{0,40}(?:max(?:imum)? len|length limit)/,
  // Hugging Face's text-generation-inference, Together
  /tokens \+ `?max_new_tokens`? must be/,
  // OpenAI, Groq, Cerebras, Vertex
  /reduce the length of|(?:reduce|shorten) (?:the |your )?(?:prompt|messages|input)/,
  // GitHub Models, Anthropic
  /request (?:body )?too large/,
  // Alibaba's DashScope
  /range of input length/,
  // SiliconFlow, Baidu
  /(?:prompt_tokens|length of (?:the )?(?:prompt|messages|input))\b[^\n]{0,60}(?:must|should|cannot)/,
  // Zhipu, and gateways in Chinese: over-long, context, the input is too long
  /超长|上下文|输入.{0,10}(?:过长|超)/,
];

/**
 * Matches errors about rate limits. Groq also reports these as "request too large", but they do not concern the
 * context.
 */
const OF_RATE = /rate.?limit|per (?:minute|hour|day)|\btpm\b|\brpm\b/;

/** Maximum number of characters of an error to search. */
const READ = 4000;

/**
 * Checks whether an error reports that the conversation exceeds the context.
 * @param words The server's error message.
 * @param names The normalized codes and types of the error.
 */
export function isContextFull(
  words: string,
  names: readonly string[] = [],
): boolean {
  if (names.some((name) => NAMES.has(name))) return true;
  const said = words.slice(0, READ).toLowerCase();
  return !OF_RATE.test(said) && WORDS.some((pattern) => pattern.test(said));
}
