import assert from "node:assert/strict";
import { fileNameOf, resolveEndpoint } from "../../../env/models/endpoints.ts";
import { redact } from "../../../env/models/redact.ts";

function envOf(values: Record<string, string>) {
  return (name: string) => values[name];
}

Deno.test("resolveEndpoint() takes the flag, then OPENAI_BASE_URL, then OPENAI_API_BASE, then the provider's own", () => {
  const both = {
    OPENAI_BASE_URL: "http://b/v1",
    OPENAI_API_BASE: "http://a/v1/",
    OPENAI_API_KEY: "k",
  };
  const urlOf = (env: Record<string, string>, baseUrl?: string) =>
    resolveEndpoint({
      provider: "openai",
      env: envOf(env),
      ...(baseUrl === undefined ? {} : { baseUrl }),
    }).baseUrl;
  assert.equal(urlOf(both, "http://c/v1"), "http://c/v1");
  assert.equal(urlOf(both), "http://b/v1");
  assert.equal(urlOf({ ...both, OPENAI_BASE_URL: "" }), "http://a/v1");
  assert.equal(urlOf({ OPENAI_API_KEY: "k" }), "https://api.openai.com/v1");
});

Deno.test("resolveEndpoint(): a local server only needs OPENAI_API_BASE", () => {
  const endpoint = resolveEndpoint({
    provider: "openai",
    env: envOf({ OPENAI_API_BASE: "http://127.0.0.1:30000/v1" }),
  });
  assert.equal(endpoint.baseUrl, "http://127.0.0.1:30000/v1");
  assert.equal(endpoint.maxTokensField, "max_tokens");
  for (const provider of ["sglang", "vllm", "ollama"] as const) {
    const { baseUrl } = resolveEndpoint({ provider, env: envOf({}) });
    assert.match(baseUrl, /^http:\/\/127\.0\.0\.1:\d+\/v1$/);
  }
});

Deno.test("resolveEndpoint() names the variable of a missing key, and an invalid URL", () => {
  for (
    const [provider, variable] of [
      ["openai", "OPENAI_API_KEY"],
      ["gemini", "GEMINI_API_KEY"],
      ["openrouter", "OPENROUTER_API_KEY"],
    ] as const
  ) {
    assert.throws(() => resolveEndpoint({ provider, env: envOf({}) }), {
      name: "ConfigError",
      hint: new RegExp(`set ${variable}`),
    });
  }
  assert.throws(
    () =>
      resolveEndpoint({
        provider: "gemini",
        env: envOf({ OPENAI_API_BASE: "http://a/v1" }),
      }),
    /GEMINI_API_KEY, or choose the provider openai, which uses OPENAI_API_BASE/,
  );
  for (const baseUrl of ["localhost:30000", "ftp://a", "x"]) {
    assert.throws(
      () => resolveEndpoint({ provider: "vllm", baseUrl, env: envOf({}) }),
      /is not the base URL/,
    );
  }
});

Deno.test("resolveEndpoint() rejects a password in the URL without quoting it, and the URL of completions", () => {
  const resolve = (baseUrl: string) => () =>
    resolveEndpoint({ provider: "vllm", baseUrl, env: envOf({}) });
  assert.throws(resolve("https://me:s3cret@example.com/v1"), (error: Error) => {
    assert.match(
      error.message,
      /at example.com contains a user name or password/,
    );
    assert.doesNotMatch(error.message, /s3cret/);
    return true;
  });
  for (const url of ["ftp://me:s3cret@a/v1", "me:s3cret@a:1/v1"]) {
    assert.throws(resolve(url), (error: Error) => {
      assert.match(
        error.message,
        /"(ftp:\/\/)?a(:1)?\/v1" is not the base URL/,
      );
      return true;
    });
  }
  assert.throws(
    resolve("http://a/v1/chat/completions/"),
    /no.* base URL; pass http:\/\/a\/v1$/,
  );
});

Deno.test("fileNameOf() never returns a path", () => {
  assert.equal(fileNameOf("Qwen/Qwen3-4B"), "Qwen-Qwen3-4B");
  assert.equal(fileNameOf("../../etc/passwd"), "etc-passwd");
  assert.equal(fileNameOf("gpt-4o:extended"), "gpt-4o-extended");
  assert.equal(fileNameOf("///"), "model");
  assert.equal(fileNameOf("..."), "model");
  assert.equal(fileNameOf(`a/${"b".repeat(300)}`).length, 100);
});

Deno.test("redact() removes known keys and text that looks like a key", () => {
  assert.equal(redact("key s3cret-key!", ["s3cret-key"]), "key [key]!");
  const looksLikeOne = `sk-${"abcdefghijklmnop1234"}`;
  assert.equal(redact(`got ${looksLikeOne}`, []), "got [key]");
  assert.equal(redact("none of it", ["none", ""]), "none of it");
  const words = "organization_must_be_verified orchestration-endpoint";
  assert.equal(redact(words, []), words);
});
