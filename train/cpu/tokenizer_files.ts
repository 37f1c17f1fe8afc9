/** The tiny policy's tokenizer files in Hugging Face's format, and its chat template. */

import type { TokenizerFiles } from "../../env/tokens/tokenizer.ts";

/** The control tokens of the tiny policy, in the order of their ids. */
export const CONTROL_TOKENS = [
  "<|system|>",
  "<|user|>",
  "<|assistant|>",
  "<|tool|>",
  "<|end|>",
] as const;

/** The token that marks the end of an answer. */
export const END_TOKEN = "<|end|>";

/**
 * The tiny policy's chat template. To use few tokens per turn, only answers have an end token, which the policy
 * samples; other messages end where the next message begins.
 */
export const CHAT_TEMPLATE = `{%- for message in messages %}
{%- if message.role == "assistant" %}
{{- "<|assistant|>" + message.content }}
{%- for tool_call in message.tool_calls or [] %}
{%- if message.content or not loop.first %}{{ "\\n" }}{% endif %}
{{- '<tool_call>\\n{"name": "' + tool_call.function.name + '", "arguments": ' }}
{{- tool_call.function.arguments + "}\\n</tool_call>" }}
{%- endfor %}
{{- "<|end|>" }}
{%- else %}
{{- "<|" + message.role + "|>" + message.content }}
{%- endif %}
{%- if loop.first and tools %}
{{- "\\n" + (tools | tojson) }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
{{- "<|assistant|>" }}
{%- endif %}`;

const LETTER = "[\\p{L}\\p{M}]";

/**
 * Returns the regular expression that matches the isolated pieces: digit pairs from the left of a number, and every
 * word that is not in `words`. The text between two isolated pieces is one piece of any length.
 * @param words The words that may merge with the text around them; they consist of letters only.
 */
export function isolatedPattern(words: readonly string[]): string {
  const given = words.length === 0
    ? ""
    : `(?!(?:${words.join("|")})(?!${LETTER}))`;
  return `[0-9]{1,2}|(?<!${LETTER})${given}${LETTER}+`;
}

/**
 * The text of each byte in a byte-level vocabulary, `[256]`.
 * @see Radford et al. 2019, GPT-2, `src/encoder.py`, `bytes_to_unicode`.
 */
export const BYTE_TEXTS: readonly string[] = byteTexts();

function byteTexts(): string[] {
  const texts: string[] = [];
  let next = 256;
  for (let byte = 0; byte < 256; byte++) {
    const printable = byte > 0x20 && byte < 0x7f ||
      byte > 0xa0 && byte !== 0xad;
    texts.push(String.fromCodePoint(printable ? byte : next++));
  }
  return texts;
}

/** Returns the files of a byte-level tokenizer with the given tokens. */
export function tokenizerFiles(
  { pattern, vocabulary, merges }: {
    /** The regular expression that matches the isolated pieces, from {@linkcode isolatedPattern}. */
    readonly pattern: string;
    /** The byte-level text of each token except the control tokens, in the order of the ids. */
    readonly vocabulary: readonly string[];
    readonly merges: readonly (readonly [string, string])[];
  },
): TokenizerFiles {
  const byteLevel = { type: "ByteLevel", add_prefix_space: false };
  const flags = { trim_offsets: true, use_regex: false };
  const tokenizer = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: CONTROL_TOKENS.map((content, i) => ({
      id: vocabulary.length + i,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        {
          type: "Split",
          pattern: { Regex: pattern },
          behavior: "Isolated",
          invert: false,
        },
        { ...byteLevel, ...flags },
      ],
    },
    post_processor: null,
    decoder: { ...byteLevel, ...flags },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: true,
      vocab: Object.fromEntries(vocabulary.map((text, id) => [text, id])),
      merges,
    },
  };
  const config = {
    tokenizer_class: "PreTrainedTokenizerFast",
    eos_token: END_TOKEN,
    bos_token: null,
    unk_token: null,
    pad_token: null,
    clean_up_tokenization_spaces: false,
    chat_template: CHAT_TEMPLATE,
  };
  return { tokenizer, config };
}
