/** Converts text to token ids and back, as defined by the `tokenizer.json` of a model directory. */

import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import * as z from "zod";
import { DataError, messageOf } from "../errors.ts";
import { explainFirstIssue } from "../python/python_schema.ts";
import { alternation, isMarked, unmark } from "./guard.ts";
import { readModelFile, readOptionalModelFile } from "./model_dir.ts";
import { normalizeNfc } from "./nfc.ts";
import { appendIds } from "./_append_ids.ts";
import { byteDecoder, type DecodeBytes } from "./_byte_decoder.ts";
import { pieceEncoder } from "./_pieces.ts";
import { RecentTexts } from "./_recent_texts.ts";

/** A token that is matched as a whole before the text is split, such as `<|im_end|>` or `<tool_call>`. */
export interface AddedToken {
  readonly content: string;
  readonly id: number;
  /** Whether the token is a control token (`<|im_end|>`) rather than text (`<tool_call>`). */
  readonly special: boolean;
}

/** A converter between text and token ids. It adds no tokens at the beginning or the end of a text. */
export interface Tokenizer {
  /** An exclusive upper bound on the ids that `encode` returns. */
  readonly vocabSize: number;
  readonly addedTokens: readonly AddedToken[];
  /** The token that ends an answer, such as `<|im_end|>`. */
  readonly endToken: string;
  /** The ids that end sampling. The first is the id of {@linkcode Tokenizer.endToken}. */
  readonly stopIds: readonly number[];
  /**
   * Encodes a text to ids. The returned array may be shared and must not be modified. Each added token becomes a single
   * id, unless it is marked by a {@linkcode Guard}.
   * @throws {RangeError} If a part of the text is not in the vocabulary and there is no unknown token.
   */
  encode(text: string): readonly number[];
  /**
   * Decodes ids to text, including control tokens. Ids beyond the vocabulary become U+FFFD. Models can sample these
   * ids, because their embeddings have spare rows.
   * @throws {RangeError} If an id is not a non-negative integer.
   */
  decode(ids: readonly number[]): string;
}

/** A function that encodes a text without recognizing added tokens. */
type EncodePlain = (text: string) => readonly number[];

const specialToken = z.union([
  z.string(),
  z.object({ content: z.string() }).transform((token) => token.content),
]);

const tokenizerJson = z.looseObject({
  normalizer: z.looseObject({ type: z.string() }).nullish(),
  added_tokens: z.array(z.looseObject({
    id: z.int().nonnegative(),
    content: z.string().min(1),
    special: z.boolean().default(false),
    lstrip: z.boolean().default(false),
    rstrip: z.boolean().default(false),
    normalized: z.boolean().default(false),
  })).default([]),
  model: z.looseObject({
    type: z.string().optional(),
    vocab: z.union([
      z.record(z.string(), z.int()),
      z.array(z.tuple([z.string(), z.number()])),
    ]),
  }),
});

const tokenizerConfig = z.looseObject({ eos_token: specialToken });

const generationConfig = z.looseObject({
  eos_token_id: z.union([z.int(), z.array(z.int())]).optional(),
});

/** The parsed JSON files of a tokenizer. */
export interface TokenizerFiles {
  /** The contents of `tokenizer.json`. */
  readonly tokenizer: unknown;
  /** The contents of `tokenizer_config.json`. */
  readonly config: unknown;
  /** The contents of `generation_config.json`, if it exists. The file may list more ids that end an answer. */
  readonly generation?: unknown;
}

/** The source of a tokenizer's files, as named in error messages, and its path, if it is a directory. */
interface Origin {
  readonly text: string;
  readonly at: { readonly path?: string };
}

/**
 * Loads the tokenizer of a model directory.
 * @param dir A directory that contains `tokenizer.json` and `tokenizer_config.json`.
 * @throws {DataError} If one of these two files is missing, or if a file is invalid.
 */
export async function loadTokenizer(dir: string): Promise<Tokenizer> {
  // Read sequentially, so that the same file is always reported if several are missing.
  const tokenizer = await readModelFile(dir, "tokenizer.json");
  const config = await readModelFile(dir, "tokenizer_config.json");
  const generation = await readOptionalModelFile(dir, "generation_config.json");
  return createTokenizer({ tokenizer, config, generation }, dir);
}

/**
 * Creates a tokenizer from parsed files.
 * @param dir The directory of the files, as named in error messages. Default: none.
 * @throws {DataError} If the files are invalid.
 */
export function createTokenizer(
  files: TokenizerFiles,
  dir?: string,
): Tokenizer {
  const origin = dir === undefined
    ? { text: "the given files", at: {} }
    : { text: `"${dir}"`, at: { path: dir } };
  const json = check(tokenizerJson, files.tokenizer, {
    origin,
    file: "tokenizer.json",
  });
  const config = check(tokenizerConfig, files.config, {
    origin,
    file: "tokenizer_config.json",
  });
  const generation = check(generationConfig, files.generation ?? {}, {
    origin,
    file: "generation_config.json",
  });
  const engine = createEngine(files, origin);
  const normalize = normalizerOf(engine, json.normalizer?.type);
  const encodeNormal = encoderOf(engine, files.tokenizer);
  return new ModelTokenizer({
    engine,
    addedTokens: json.added_tokens,
    endToken: config.eos_token,
    extraStopIds: [generation.eos_token_id ?? []].flat(),
    encodePlain: (text) => encodeNormal(normalize(text)),
    decodeBytes: byteDecoder({
      json: files.tokenizer,
      tokenOf: (id) => engine.model?.vocab[id],
      added: new Set(json.added_tokens.map(({ content }) => content)),
    }),
    origin,
  });
}

function createEngine(
  files: TokenizerFiles,
  origin: Origin,
): HuggingFaceTokenizer {
  try {
    return new HuggingFaceTokenizer(
      Object(files.tokenizer),
      Object(files.config),
    );
  } catch (cause) {
    throw new DataError(
      `Cannot create a tokenizer from "tokenizer.json" in ${origin.text}: ${
        messageOf(cause)
      }`,
      {
        ...origin.at,
        cause,
        hint: "use a file written by Hugging Face's tokenizers library",
      },
    );
  }
}

/** A function that normalizes a text before it is encoded. */
type Normalize = (text: string) => string;

function normalizerOf(
  engine: HuggingFaceTokenizer,
  type: string | undefined,
): Normalize {
  if (type === "NFC") return normalizeNfc;
  return (text) => engine.normalizer?.normalize(text) ?? text;
}

function encoderOf(engine: HuggingFaceTokenizer, json: unknown): EncodePlain {
  const encode = (normal: string) => encodePlain(engine, normal);
  return pieceEncoder(engine, { json, encode }) ?? encode;
}

interface AddedTokenRules extends AddedToken {
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly normalized: boolean;
}

interface ModelTokenizerParts {
  readonly engine: HuggingFaceTokenizer;
  readonly addedTokens: readonly AddedTokenRules[];
  readonly endToken: string;
  readonly extraStopIds: readonly number[];
  readonly encodePlain: EncodePlain;
  readonly decodeBytes: DecodeBytes | undefined;
  readonly origin: Origin;
}

/** A wrapper around Hugging Face's tokenizer that caches the ids of the segments between added tokens. */
class ModelTokenizer implements Tokenizer {
  readonly vocabSize: number;
  readonly addedTokens: readonly AddedToken[];
  readonly endToken: string;
  readonly stopIds: readonly number[];
  readonly #engine: HuggingFaceTokenizer;
  readonly #encoder: SegmentEncoder;
  readonly #decodeBytes: DecodeBytes | undefined;

  constructor(parts: ModelTokenizerParts) {
    const { engine, addedTokens, endToken, extraStopIds, origin } = parts;
    rejectTrimming(addedTokens, origin);
    const endId = engine.token_to_id(endToken);
    if (endId === undefined) {
      throw new DataError(
        `The end token "${endToken}" from "tokenizer_config.json" in ${origin.text} is not in the vocabulary of "tokenizer.json"`,
        { ...origin.at, hint: "use both files from the same model" },
      );
    }
    this.#engine = engine;
    this.#decodeBytes = parts.decodeBytes;
    this.addedTokens = addedTokens;
    this.endToken = endToken;
    this.stopIds = [...new Set([endId, ...extraStopIds])];
    this.vocabSize = engine.model?.vocab.length ?? 0;
    this.#encoder = new SegmentEncoder(addedTokens, parts.encodePlain);
  }

  encode(text: string): readonly number[] {
    return this.#encoder.encode(text);
  }

  decode(ids: readonly number[]): string {
    const bad = ids.find((id) => !Number.isInteger(id) || id < 0);
    if (bad !== undefined) {
      throw new RangeError(
        `Cannot decode the id ${bad}: a token id must be a non-negative integer`,
      );
    }
    const spare = ids.findIndex((id) => id >= this.vocabSize);
    if (spare < 0) return this.#decodeKnown(ids);
    const before = this.#decodeKnown(ids.slice(0, spare));
    return before + "\uFFFD" + this.decode(ids.slice(spare + 1));
  }

  #decodeKnown(ids: readonly number[]): string {
    if (ids.length === 0) return "";
    return this.#decodeBytes?.(ids) ?? this.#engine.decode([...ids], {
      skip_special_tokens: false,
      clean_up_tokenization_spaces: false,
    });
  }
}

/** An encoder that maps added tokens to their ids, and encodes the segments between them with a cache. */
class SegmentEncoder {
  readonly #ids: ReadonlyMap<string, number>;
  readonly #tokens: RegExp | null;
  readonly #encodePlain: EncodePlain;
  readonly #short = new RecentTexts(MAX_CACHED);
  /** A cache for long texts, such as the policy and the tools at the beginning of every episode. */
  readonly #long = new RecentTexts(MAX_LONG);

  constructor(
    addedTokens: readonly AddedToken[],
    encodePlain: EncodePlain,
  ) {
    this.#ids = new Map(addedTokens.map(({ content, id }) => [content, id]));
    this.#tokens = alternation([...this.#ids.keys()]);
    this.#encodePlain = encodePlain;
  }

  encode(text: string): readonly number[] {
    if (this.#tokens === null) return this.#segment(text);
    const ids: number[] = [];
    let from = 0;
    for (const match of text.matchAll(this.#tokens)) {
      appendIds(ids, this.#segment(text.slice(from, match.index)));
      ids.push(this.#ids.get(match[0]) ?? 0);
      from = match.index + match[0].length;
    }
    if (from === 0) return this.#segment(text);
    appendIds(ids, this.#segment(text.slice(from)));
    return ids;
  }

  #segment(text: string): readonly number[] {
    if (text === "") return [];
    const cache = text.length > MAX_CACHED_LENGTH ? this.#long : this.#short;
    return cache.get(text) ?? cache.remember(
      text,
      this.#encodePlain(isMarked(text) ? unmark(text) : text),
    );
  }
}

/** Maximum number of cached short segments. Their cache takes at most about 40 MB of memory. */
const MAX_CACHED = 4096;
/** Maximum length of a short segment, in UTF-16 code units. Longer segments have a separate cache. */
const MAX_CACHED_LENGTH = 8192;
/** Maximum number of cached segments longer than {@linkcode MAX_CACHED_LENGTH}. */
const MAX_LONG = 8;

/**
 * Encodes normalized text as Hugging Face's `encode` does, but without recognizing added tokens.
 * @throws {RangeError} If a part of the text is not in the vocabulary and there is no unknown token.
 */
function encodePlain(engine: HuggingFaceTokenizer, normal: string): number[] {
  if (normal === "") return [];
  const pieces = engine.pre_tokenizer?.pre_tokenize(normal) ?? [normal];
  const model = engine.model;
  if (model === null) return [];
  return model.encode(pieces).map((token) => {
    const id = model.tokens_to_ids.get(token) ?? model.unk_token_id;
    if (id !== undefined) return id;
    throw new RangeError(
      `Cannot encode "${token}": it is not in the vocabulary, and the tokenizer has no unknown token`,
    );
  });
}

/**
 * Rejects added tokens that strip surrounding white space or that are changed by normalization, which incremental
 * encoding does not support.
 * @throws {DataError} If there is such a token.
 */
function rejectTrimming(
  tokens: readonly AddedTokenRules[],
  origin: Origin,
): void {
  const token = tokens.find(({ lstrip, rstrip, normalized, content }) =>
    lstrip || rstrip || (normalized && content.normalize("NFC") !== content)
  );
  if (token === undefined) return;
  throw new DataError(
    `The added token "${token.content}" in ${origin.text} ${
      token.lstrip || token.rstrip
        ? "strips the white space around it (lstrip, rstrip)"
        : "is changed by normalization"
    }, which incremental encoding does not support`,
    { ...origin.at, hint: "use a model with another tokenizer" },
  );
}

function check<T>(
  schema: z.ZodType<T>,
  value: unknown,
  { origin, file }: { origin: Origin; file: string },
): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new DataError(
    `Cannot use "${file}" in ${origin.text}: ${
      explainFirstIssue(result.error)
    }`,
    {
      ...origin.at,
      cause: result.error,
      hint: "copy the file from the model again",
    },
  );
}
