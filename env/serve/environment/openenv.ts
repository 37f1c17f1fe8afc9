/**
 * Serves sessions over OpenEnv's protocol. A WebSocket connection to `/ws` has its own session. A plain HTTP request
 * identifies its session by the `session_id` in the observation of the session's first reset.
 *
 * @see openenv-core 0.3.0, `openenv/core/env_server/http_server.py` and `types.py`, `openenv/core/env_client.py`.
 */

import type { Hono } from "hono";
import { z } from "zod";
import { openingMessages } from "../../agents/tool_calling.ts";
import { domainKey } from "../../domains/registry.ts";
import { messageOf } from "../../errors.ts";
import { type JsonObject, toPlain } from "../../python/python_json.ts";
import { type Action, SPLITS } from "../../types.ts";
import { type BodyLimits, MAX_BYTES } from "../bounded_json.ts";
import { readBody } from "../read_body.ts";
import { RequestError } from "../served_policy.ts";
import type { LiveSession, SessionEpisode } from "./live_session.ts";
import type { LiveSessions } from "./live_sessions.ts";
import { openEnvSchemas } from "./openenv_schemas.ts";
import { plainWithout, readAction, readObject } from "./session_action.ts";

const resetSchema = z.strictObject({
  seed: z.int().min(0).nullish(),
  episode_id: z.string().min(1).max(255).nullish(),
  split: z.enum(SPLITS).nullish(),
  task: z.int().min(0).nullish(),
});
const httpResetSchema = resetSchema.extend({
  session_id: z.string().nullish(),
});
const sessionSchema = z.strictObject({ session_id: z.string() });
const stepSchema = sessionSchema.extend({
  timeout_s: z.number().gt(0).nullish(),
  request_id: z.string().max(255).nullish(),
});

/** The result of a reset or a step. */
interface OpenEnvResult {
  readonly observation: Readonly<Record<string, unknown>>;
  readonly reward: number | null;
  readonly done: boolean;
}

/** Options for {@linkcode openEnvRoutes}. */
export interface OpenEnvOptions {
  readonly sessions: LiveSessions;
  /** taulab's version. */
  readonly version: string;
  /** The limits on WebSocket messages. Only `maxBytes` applies. Default: 1 MiB. */
  readonly limits?: BodyLimits | undefined;
}

/**
 * Adds the routes `/schema`, `/metadata`, `/state` and `/ws` to an app. `environmentApp` adds `/reset`, `/step` and
 * `/close`.
 */
export function openEnvRoutes(
  app: Hono,
  { sessions, version, limits }: OpenEnvOptions,
): void {
  const { world: { dataset } } = sessions;
  app.get("/schema", (c) => c.json(openEnvSchemas(dataset)));
  app.get("/metadata", (c) =>
    c.json({
      name: domainKey(dataset),
      description:
        `Conversations with a simulated user and the tools of ${dataset.domain} (${dataset.name})`,
      readme_content: null,
      version,
      author: "taulab",
      documentation_url: null,
    }));
  app.get("/state", (c) => {
    const { session_id } = readBody(sessionSchema, c.req.query());
    return c.json(stateOf(sessions.get(session_id)));
  });
  app.get("/ws", (c) => {
    if (c.req.header("upgrade")?.toLowerCase() !== "websocket") {
      throw new RequestError("/ws requires a WebSocket upgrade");
    }
    const { socket, response } = Deno.upgradeWebSocket(c.req.raw, {
      // A client that is busy computing does not answer pings; idle sessions have their own timeout.
      idleTimeout: 0,
    });
    serveConnection(socket, {
      sessions,
      maxBytes: limits?.maxBytes ?? MAX_BYTES,
    });
    return response;
  });
}

/** Handles `POST /reset`. Opens a new session unless the request names a session. */
export async function openEnvReset(
  body: unknown,
  sessions: LiveSessions,
): Promise<OpenEnvResult> {
  const { session_id: id, ...asked } = readBody(httpResetSchema, body);
  if (id) return await begun(sessions.get(id), asked);
  const session = sessions.open();
  try {
    return await begun(session, asked);
  } catch (error) {
    sessions.close(session.id);
    throw error;
  }
}

/**
 * Handles `POST /step`.
 * @param body The parsed body.
 */
export async function openEnvStep(
  body: JsonObject,
  sessions: LiveSessions,
): Promise<OpenEnvResult> {
  const { session_id } = readBody(stepSchema, plainWithout(body, "action"));
  const action = readAction(body.get("action"));
  return await stepped(sessions.get(session_id), action);
}

/** Handles `POST /close`. */
export function openEnvClose(body: unknown, sessions: LiveSessions): void {
  sessions.close(readBody(sessionSchema, body).session_id);
}

async function begun(
  session: LiveSession,
  { seed, episode_id, split, task }: z.infer<typeof resetSchema>,
): Promise<OpenEnvResult> {
  const episode = await session.reset({
    seed: seed ?? undefined,
    episodeId: episode_id ?? undefined,
    split: split ?? undefined,
    task: task ?? undefined,
  });
  return {
    observation: { session_id: session.id, ...openingOf(session, episode) },
    reward: null,
    done: false,
  };
}

/**
 * Returns the observation of a reset, without the session's id: the episode, the user's first message, and the messages
 * and tools for the policy in the format of OpenAI's chat API.
 */
function openingOf(
  session: LiveSession,
  { id, task, seed, firstMessage }: SessionEpisode,
): Record<string, unknown> {
  const { dataset } = session.world;
  return {
    source: "user",
    content: firstMessage,
    episode_id: id,
    task_id: task.id,
    split: task.split,
    task: task.index,
    seed,
    messages: openingMessages({ dataset, firstMessage }, "full"),
    tools: dataset.tools,
  };
}

async function stepped(
  session: LiveSession,
  action: Action,
): Promise<OpenEnvResult> {
  const { observation, reward, stopReason } = await session.step(action);
  const { source, content } = observation;
  return {
    observation: {
      source,
      content,
      ...(action.type === "tool" ? { tool_name: action.call.name } : {}),
      ...(stopReason === null ? {} : { stop_reason: stopReason }),
    },
    reward: reward === null ? null : reward.value,
    done: stopReason !== null,
  };
}

/** Returns the state of a session, including the parts of the reward once the episode has ended. */
function stateOf({ id, episode }: LiveSession): Record<string, unknown> {
  if (episode === null) {
    return { episode_id: null, step_count: 0, session_id: id };
  }
  const { task, seed, environment, end, failure } = episode;
  return {
    episode_id: episode.id,
    step_count: environment.turns.length,
    session_id: id,
    task_id: task.id,
    split: task.split,
    task: task.index,
    seed,
    done: end !== null,
    stop_reason: end?.stopReason ?? null,
    reward: end?.reward.value ?? null,
    parts: end?.reward.parts ?? null,
    missing_outputs: end?.reward.missingOutputs ?? null,
    failure: failure && { source: failure.source, kind: failure.kind },
  };
}

/**
 * The maximum number of requests that may wait on a connection. The connection is closed if another request arrives.
 */
const MAX_WAITING = 16;

/** Serves a session over a WebSocket connection, until the session or the connection is closed. */
function serveConnection(
  socket: WebSocket,
  { sessions, maxBytes }: {
    readonly sessions: LiveSessions;
    readonly maxBytes: number;
  },
): void {
  let session: LiveSession | undefined;
  let last = Promise.resolve();
  let waiting = 0;
  function send(answer: unknown): void {
    if (socket.readyState === WebSocket.OPEN) {
      socket.send(JSON.stringify(answer));
    }
  }
  function refuse(error: unknown, code: string): void {
    send({ type: "error", data: { message: messageOf(error), code } });
  }
  socket.onopen = () => {
    try {
      session = sessions.open();
      session.closed.addEventListener("abort", () => socket.close(1000));
    } catch (error) {
      refuse(error, "CAPACITY_REACHED");
      socket.close(1013);
    }
  };
  socket.onclose = () => {
    if (session !== undefined) sessions.close(session.id);
  };
  socket.onerror = () => {};
  socket.onmessage = ({ data }) => {
    const isGood = typeof data === "string" && data.length <= maxBytes;
    if (!isGood || waiting >= MAX_WAITING) {
      return socket.close(isGood ? 1008 : 1009);
    }
    waiting++;
    last = last.then(async () => {
      waiting--;
      if (session === undefined || session.closed.aborted) return;
      await answer(data, { session, sessions, send, refuse });
    });
  };
}

async function answer(
  text: string,
  { session, sessions, send, refuse }: {
    readonly session: LiveSession;
    readonly sessions: LiveSessions;
    readonly send: (answer: unknown) => void;
    readonly refuse: (error: unknown, code: string) => void;
  },
): Promise<void> {
  let code = "INVALID_JSON";
  try {
    const message = readObject(text);
    sessions.get(session.id);
    const type = message.get("type");
    const data = message.get("data") ?? new Map();
    code = "VALIDATION_ERROR";
    switch (type) {
      case "reset": {
        const asked = readBody(resetSchema, toPlain(data));
        code = "EXECUTION_ERROR";
        return send({ type: "observation", data: await begun(session, asked) });
      }
      case "step": {
        const action = readAction(data, "data");
        code = "EXECUTION_ERROR";
        return send({
          type: "observation",
          data: await stepped(session, action),
        });
      }
      case "state":
        return send({ type: "state", data: stateOf(session) });
      case "close":
        return sessions.close(session.id);
      default:
        code = "UNKNOWN_TYPE";
        throw new RequestError(
          "type: must be one of reset, step, state, close",
        );
    }
  } catch (error) {
    refuse(error, code);
  }
}
