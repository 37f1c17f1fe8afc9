import assert from "node:assert/strict";
import { messageOf } from "../../../env/errors.ts";
import { checkModel } from "../../../env/models/check_model.ts";
import { resolveEndpoint } from "../../../env/models/endpoints.ts";
import {
  chatAnswer,
  type ModelServer,
  modelServer,
} from "../../support/model_server.ts";
import { modelAt } from "../../support/served_models.ts";

function endpointAt(url: string) {
  return resolveEndpoint({
    provider: "openai",
    baseUrl: url,
    env: () => "s3cret-key",
  });
}

Deno.test("checkModel() reports what is wrong with an endpoint, without the key", async () => {
  const cases: [status: number, message: string, words: RegExp][] = [
    [
      401,
      "Incorrect API key provided: s3cret-key",
      /Cannot use --model m: .*\[key\]; check the key in OPENAI_API_KEY$/,
    ],
    [400, "API key not valid", /check the key in OPENAI_API_KEY$/],
    [
      400,
      "Unsupported parameter: 'seed'",
      /'seed'; correct what the server's message reports/,
    ],
    [402, "Payment is required", /Payment is required/],
  ];
  for (const [status, message, words] of cases) {
    await using server = modelServer({
      answer: () => Response.json({ error: { message } }, { status }),
    });
    const model = modelAt(server);
    const endpoint = endpointAt(`${server.url}/v1`);
    await assert.rejects(
      checkModel(model, "--model m", { endpoint }),
      (error: Error) => {
        assert.equal(error.name, "ConfigError");
        assert.match(messageOf(error), words);
        assert.doesNotMatch(messageOf(error), /s3cret/);
        return true;
      },
    );
    assert.equal(server.requests.length, 1, "it asks once");
  }
});

Deno.test("checkModel() names the models closest to an unknown one", async () => {
  const data = ["gpt-4o", "Qwen/Qwen3-8B", "Qwen/Qwen3-0.6B", "Qwen3-4B"]
    .map((id): { id: unknown } => ({ id }));
  const odd = [null, { id: null }, { id: 7 }, "x"];
  await using server = modelServer({
    answer: ({ path }) =>
      path === "/v1/models"
        ? { data: [...data, ...odd] }
        : Response.json({ detail: "Not Found" }, { status: 404 }),
  });
  await assert.rejects(
    checkModel(modelAt(server), "--model m", {
      endpoint: endpointAt(`${server.url}/v1`),
    }),
    /404 Not Found; choose one of the server's models, such as "Qwen\/Qwen3-8B", "Qwen\/Qwen3-0.6B", "Qwen3-4B"$/,
  );
  // The model above uses a base URL with /v1; the given one lacks it.
  await assert.rejects(
    checkModel(modelAt(server), "--model m", {
      endpoint: endpointAt(server.url),
    }),
    /use the base URL http:\/\/127.0.0.1:\d+\/v1$/,
  );
});

Deno.test("checkModel() suggests checking name and base URL if there is no list of models", async () => {
  await using server = modelServer({
    answer: () => new Response("nothing here", { status: 404 }),
  });
  await assert.rejects(
    checkModel(modelAt(server), "--model m", {
      endpoint: endpointAt(`${server.url}/v1`),
    }),
    /check the model's name and the base URL/,
  );
});

Deno.test("checkModel() suggests checking the base URL of a web page, and the timeout of a server that stalls", async () => {
  await using page = modelServer({
    answer: () => new Response("<html>", { headers: { "x-page": "yes" } }),
  });
  await assert.rejects(
    checkModel(modelAt(page), "--model m"),
    /pass the base URL of an OpenAI-compatible API/,
  );
  await using slow = modelServer({ answer: () => 0, faults: () => "stall" });
  await assert.rejects(
    checkModel(modelAt(slow, { timeoutMs: 150 }), "--model m"),
    /calls\.timeoutS/,
  );
  assert.equal(slow.requests.length, 3, "it does not insist");
});

Deno.test("checkModel() reports a missing server, and accepts one that answers", async () => {
  let gone: ModelServer;
  {
    await using server = modelServer({ answer: () => chatAnswer("hi") });
    gone = server;
    await checkModel(modelAt(server), "--model m");
  }
  await assert.rejects(checkModel(modelAt(gone), "--model m"), {
    name: "ConfigError",
    message: /\(3 attempts\)$/,
    hint: /^start the server/,
  });
});
