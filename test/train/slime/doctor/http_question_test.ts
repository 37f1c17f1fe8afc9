import assert from "node:assert/strict";
import { z } from "zod";
import { askJson } from "../../../../train/slime/doctor/http_question.ts";

Deno.test("askJson() does not repeat its token from a server's answer", async () => {
  const token = "hf-s3cret-token";
  for (const status of [200, 401]) {
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      ({ headers }) => new Response(headers.get("authorization"), { status }),
    );
    const answer = await askJson(`http://127.0.0.1:${server.addr.port}`, {
      schema: z.object({}),
      token,
    });
    assert.ok(!answer.ok);
    assert.match(answer.fault, /: Bearer \[key\]$/);
  }
});
