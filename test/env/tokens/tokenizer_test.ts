import assert from "node:assert/strict";
import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import fc from "fast-check";
import { DataError } from "../../../env/errors.ts";
import { Guard } from "../../../env/tokens/guard.ts";
import { normalizeNfc } from "../../../env/tokens/nfc.ts";
import {
  createTokenizer,
  loadTokenizer,
} from "../../../env/tokens/tokenizer.ts";
import { QWEN3_DIR, qwen3Tokenizer } from "../../support/qwen3.ts";

async function huggingFace(): Promise<HuggingFaceTokenizer> {
  const read = async (name: string) =>
    JSON.parse(await Deno.readTextFile(QWEN3_DIR + name));
  return new HuggingFaceTokenizer(
    await read("tokenizer.json"),
    await read("tokenizer_config.json"),
  );
}

const text = fc.array(
  fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.constantFrom(
      "<|im_start|>",
      "<|im_end|>\n",
      "<tool_call>\n",
      "<think>",
      "  \n\n",
      "#W1234567",
      '{"a": 1.5}',
      "don't",
    ),
  ),
  { maxLength: 12 },
).map((parts) => parts.join(""));

Deno.test("Tokenizer.encode() returns the ids of Hugging Face's encode for any text", async () => {
  const tokenizer = await qwen3Tokenizer();
  const reference = await huggingFace();
  fc.assert(fc.property(text, (text) => {
    // The JavaScript library uses the runtime's Unicode version, which differs from the inference engine's: see nfc_test.ts.
    fc.pre(normalizeNfc(text) === text.normalize("NFC"));
    const { ids } = reference.encode(text, { add_special_tokens: false });
    assert.deepEqual(tokenizer.encode(text), ids);
    assert.deepEqual(tokenizer.encode(text), ids, "again, from the cache");
  }));
});

Deno.test("Tokenizer.decode() restores a normalized text, including control tokens", async () => {
  const tokenizer = await qwen3Tokenizer();
  fc.assert(fc.property(text, (text) => {
    const normal = text.normalize("NFC");
    assert.equal(tokenizer.decode(tokenizer.encode(normal)), normal);
  }));
});

Deno.test("Tokenizer.encode() encodes marked control tokens as text", async () => {
  const tokenizer = await qwen3Tokenizer();
  const guard = new Guard(tokenizer.addedTokens.map(({ content }) => content));
  const control = new Set(tokenizer.addedTokens.map(({ id }) => id));
  fc.assert(fc.property(text, (text) => {
    const normal = text.normalize("NFC");
    const ids = tokenizer.encode(guard.mark(normal));
    assert.ok(ids.every((id) => !control.has(id)));
    assert.equal(tokenizer.decode(ids), normal);
  }));
});

Deno.test("Tokenizer has Qwen3's end token, its id and the vocabulary size", async () => {
  const tokenizer = await qwen3Tokenizer();
  assert.equal(tokenizer.endToken, "<|im_end|>");
  assert.deepEqual(tokenizer.stopIds, [151645]);
  assert.equal(tokenizer.vocabSize, 151669);
  assert.equal(tokenizer.encode("").length, 0);
  assert.equal(tokenizer.decode([]), "");
});

Deno.test("Tokenizer.decode() decodes ids beyond the vocabulary to U+FFFD", async () => {
  const tokenizer = await qwen3Tokenizer();
  const [a = 0] = tokenizer.encode("a");
  assert.equal(tokenizer.decode([a, 151669, 151935, a]), "a\uFFFD\uFFFDa");
  for (const id of [-1, 1.5, NaN]) {
    assert.throws(() => tokenizer.decode([a, id]), RangeError);
  }
});

/** A minimal tokenizer with two letters, one merge and an end token. */
const SMALL = {
  tokenizer: {
    version: "1.0",
    added_tokens: [{ id: 3, content: "<end>", special: true }],
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    model: { type: "BPE", vocab: { a: 0, b: 1, ab: 2 }, merges: ["a b"] },
  },
  config: { eos_token: { content: "<end>" } },
};

Deno.test("createTokenizer() reads further stop ids from generation_config.json", () => {
  assert.deepEqual(
    createTokenizer({ ...SMALL, generation: { eos_token_id: [3, 0] } }).stopIds,
    [3, 0],
  );
  assert.deepEqual(createTokenizer(SMALL).encode("ab<end>ba"), [2, 3, 1, 0]);
});

Deno.test("createTokenizer() reports what is wrong with the files", () => {
  const cases: [Partial<Parameters<typeof createTokenizer>[0]>, RegExp][] = [
    [{ tokenizer: {} }, /Cannot use "tokenizer.json" in "here": field "model"/],
    [{ tokenizer: "no" }, /Cannot use "tokenizer.json" in "here": /],
    [
      { config: {} },
      /Cannot use "tokenizer_config.json" in "here": field "eos_token"/,
    ],
    [
      { config: { eos_token: "<no>" } },
      /end token "<no>" .* is not in the vocab/,
    ],
    [
      { tokenizer: { model: SMALL.tokenizer.model } },
      /Cannot create a tokenizer from "tokenizer.json" in "here"/,
    ],
    [
      {
        tokenizer: {
          ...SMALL.tokenizer,
          added_tokens: [{
            id: 3,
            content: "<end>",
            special: true,
            rstrip: true,
          }],
        },
      },
      /added token "<end>" in "here" strips/,
    ],
  ];
  for (const [files, message] of cases) {
    assert.throws(
      () => createTokenizer({ ...SMALL, ...files }, "here"),
      (error) => error instanceof DataError && message.test(error.message),
      String(message),
    );
  }
});

Deno.test("loadTokenizer() reports what is wrong with a directory", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await assert.rejects(
      loadTokenizer(`${dir}/no`),
      /Cannot find "tokenizer.json" in /,
    );
    await Deno.writeTextFile(`${dir}/tokenizer.json`, '{"model": ');
    await Deno.writeTextFile(`${dir}/tokenizer_config.json`, "{}");
    await assert.rejects(
      loadTokenizer(dir),
      (error) =>
        error instanceof DataError &&
        error.path === `${dir}/tokenizer.json` &&
        /not valid JSON/.test(error.message) &&
        /^copy the file again$/.test(`${error.hint}`),
    );
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("encode() returns the ids of Hugging Face's encoder, regardless of earlier calls", async () => {
  const json = JSON.parse(
    await Deno.readTextFile(`${QWEN3_DIR}/tokenizer.json`),
  );
  // Without the names of byte-level BPE, pieces are not cached.
  const whole = createTokenizer({
    tokenizer: {
      ...json,
      pre_tokenizer: {
        type: "Sequence",
        pretokenizers: [json.pre_tokenizer],
      },
    },
    config: { eos_token: "<|im_end|>" },
  });
  const tokenizer = await qwen3Tokenizer();
  const word = fc.constantFrom(
    ...[
      "it's",
      " 'Tis",
      "  \n\n",
      "\r\n ",
      " ",
      "\t",
      "42.50",
      "#W12",
      "né",
      "e\u0301",
      "\u00a0",
      "你好",
      '{"a": [',
      "🙂",
      "'LL",
      "--\n",
    ],
  );
  const text = fc.array(fc.oneof(word, fc.string({ unit: "binary" })), {
    maxLength: 12,
  }).map((words) => words.join(""));
  fc.assert(
    fc.property(text, (text) => {
      assert.deepEqual(tokenizer.encode(text), whole.encode(text));
    }),
    { numRuns: 500 },
  );
});

Deno.test("Tokenizer.decode() returns the text of Hugging Face's decode for any ids, including partial characters", async () => {
  const tokenizer = await qwen3Tokenizer();
  const engine = await huggingFace();
  const id = fc.oneof(
    fc.nat(151_642),
    fc.nat(255), // single bytes, which rarely form a character
    fc.integer({ min: 151_643, max: 151_668 }), // added tokens
  );
  fc.assert(
    fc.property(fc.array(id, { maxLength: 40 }), (ids) => {
      const theirs = ids.length === 0 ? "" : engine.decode(ids, {
        skip_special_tokens: false,
        clean_up_tokenization_spaces: false,
      });
      assert.equal(tokenizer.decode(ids), theirs);
    }),
    { numRuns: 3000 },
  );
});
