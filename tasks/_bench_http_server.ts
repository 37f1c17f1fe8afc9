/**
 * Runs the model server of the HTTP benchmark, which answers each request after a given latency. It runs in a worker so
 * that its work is not measured.
 */

/// <reference lib="webworker" />

import { setTimeout as delay } from "node:timers/promises";

declare const self: DedicatedWorkerGlobalScope;

self.onmessage = ({ data }: MessageEvent<{ latencyMs: number }>) => {
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: () => {},
  }, async (request) => {
    const { model, messages } = await request.json();
    await delay(data.latencyMs);
    return Response.json(answerTo(model, messages));
  });
  self.postMessage({ port: server.addr.port });
};

/**
 * Returns the answer to a request. The user always gives the same answer. The agent alternates between messages and
 * look-ups, and finally transfers the user to a human.
 */
function answerTo(
  model: string,
  messages: readonly { role: string }[],
): unknown {
  const said = messages.filter(({ role }) => role === "assistant").length;
  if (model === "user") return completion("Yes, please go on with it.");
  if (said >= 11) return completion(null, "transfer_to_human_agents");
  return said % 2 === 0
    ? completion("Thank you. Let me look at your order before we go on.")
    : completion(null, "list_all_product_types");
}

function completion(content: string | null, tool?: string): unknown {
  const args = tool === "transfer_to_human_agents" ? '{"summary": "x"}' : "{}";
  const call = { id: "call_1", type: "function" };
  const message = tool === undefined ? { content } : {
    content,
    tool_calls: [{ ...call, function: { name: tool, arguments: args } }],
  };
  return {
    choices: [{ message, finish_reason: "stop" }],
    usage: { prompt_tokens: 3000, completion_tokens: 20 },
  };
}
