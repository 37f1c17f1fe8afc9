/**
 * Serves sessions over NeMo Gym's Gymnasium protocol, as its `gymnasium_agent` uses it. An episode consists of a reset
 * and one step per answer of the model. An answer may contain several calls. A cookie identifies the session.
 *
 * @see nemo-gym 0.7.0, `resources_servers/gymnasium/base.py` and `responses_api_agents/gymnasium_agent/app.py`.
 */

import type { Context, Hono } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { getPath } from "hono/utils/url";
import { z } from "zod";
import { openingMessages } from "../../agents/tool_calling.ts";
import { type Dataset, type Split, SPLITS } from "../../types.ts";
import { type BodyLimits, jsonOf } from "../bounded_json.ts";
import { splitOf } from "../episode_request.ts";
import { readBody } from "../read_body.ts";
import { RequestError } from "../served_policy.ts";
import type { SessionEpisode, SessionStep } from "./live_session.ts";
import type { LiveSessions } from "./live_sessions.ts";
import { aggregateMetrics, aggregateSchema } from "./nemo_gym_metrics.ts";
import { toolCall } from "./session_action.ts";

const COOKIE = "taulab_session";

/** The maximum size of the results of a rollout collection, in bytes. A rollout takes about 0.5 KiB. */
const MAX_RESULT_BYTES = 2 ** 26;

/** The body of a reset. Other fields are accepted, since trainers add fields. */
const resetSchema = z.looseObject({
  split: z.enum(SPLITS).nullish(),
  task: z.int().min(0).nullish(),
  seed: z.int().min(0).nullish(),
});

const textParts = z.array(
  z.looseObject({ type: z.string(), text: z.string().optional() }),
);

const stepSchema = z.looseObject({
  response: z.looseObject({
    output: z.array(z.discriminatedUnion("type", [
      z.looseObject({
        type: z.literal("message"),
        content: z.union([z.string(), textParts]),
      }),
      z.looseObject({
        type: z.literal("function_call"),
        name: z.string(),
        call_id: z.string(),
        arguments: z.string(),
      }),
      z.looseObject({ type: z.literal("reasoning") }),
    ])),
  }),
});

/** An item of a model's answer. */
type OutputItem = z.infer<typeof stepSchema>["response"]["output"][number];

/** The maximum number of invalid calls in an episode. */
const MAX_PARSE_ERRORS = 3;

/** The number of invalid calls so far, by episode. */
const parseErrors = new WeakMap<SessionEpisode, number>();

/** Parses a NeMo Gym request. Returns `undefined` if the request uses another protocol. */
export function nemoGymBody(
  text: string,
): Record<string, unknown> | undefined {
  if (!text.includes('"responses_create_params"')) return undefined;
  try {
    const body: unknown = JSON.parse(text);
    const isOurs = typeof body === "object" && body !== null &&
      Object.hasOwn(body, "responses_create_params");
    return isOurs ? body as Record<string, unknown> : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Returns a request's path without NeMo Gym's prefix. With `observability_enabled`, NeMo Gym adds a prefix that
 * identifies the rollout: `/ng-rollout/0-1/step` becomes `/step`.
 */
export function nemoGymPath(request: Request): string {
  return getPath(request).replace(/^\/ng-rollout\/[^/]+(?=\/)/, "");
}

/**
 * Adds `GET /nemo-gym/rows`, which returns a split's tasks as JSON Lines, and `POST /aggregate_metrics`, which
 * summarizes the results of rollouts.
 */
export function nemoGymRoutes(
  app: Hono,
  { sessions: { world }, limits }: {
    readonly sessions: LiveSessions;
    readonly limits?: BodyLimits | undefined;
  },
): void {
  app.post("/aggregate_metrics", async (c) => {
    const body = await jsonOf(c, { maxBytes: MAX_RESULT_BYTES, ...limits });
    return c.json(aggregateMetrics(readBody(aggregateSchema, body)));
  });
  app.get("/nemo-gym/rows", (c) => {
    const asked = readBody(
      z.strictObject({ split: z.string().default(world.split) }),
      c.req.query(),
    );
    const split = splitOf(asked.split, world.dataset);
    const text = rowsOf(world.dataset, { split, seed: world.seed })
      .map((row) => `${JSON.stringify(row)}\n`).join("");
    return c.text(text, 200, { "content-type": "application/jsonl" });
  });
}

/** Handles `POST /reset`: opens a session, starts an episode, and sets the session cookie. */
export async function nemoGymReset(
  c: Context,
  { body, sessions }: { body: unknown; sessions: LiveSessions },
): Promise<Response> {
  const { split, task, seed } = readBody(resetSchema, body);
  const session = sessions.open();
  try {
    const episode = await session.reset({
      split: split ?? undefined,
      task: task ?? undefined,
      seed: seed ?? undefined,
    });
    setCookie(c, COOKIE, session.id, { httpOnly: true, sameSite: "Strict" });
    const info = {
      task_id: episode.task.id,
      seed: episode.seed,
      supports_explicit_close: true,
    };
    return c.json({ observation: episode.firstMessage, info });
  } catch (error) {
    sessions.close(session.id);
    throw error;
  }
}

/**
 * Handles `POST /step`. Runs the calls in the model's answer in order or, if there are none, sends the text to the
 * user. An invalid call is answered with an error. After more than {@linkcode MAX_PARSE_ERRORS} of them, the episode is
 * truncated.
 */
export async function nemoGymStep(
  c: Context,
  { body, sessions }: { body: unknown; sessions: LiveSessions },
): Promise<Response> {
  const { response: { output } } = readBody(stepSchema, body);
  const session = sessions.get(sessionCookie(c) ?? "");
  const episode = session.requireEpisode();
  const calls = output.filter((item) => item.type === "function_call");
  const message = output.map(textOf).join("");
  if (calls.length === 0) {
    const step = await session.step({ type: "respond", content: message });
    return c.json(resultOf(step, { observation: step.observation.content }));
  }
  const toolOutputs: { call_id: string; output: string }[] = [];
  let step: SessionStep | undefined;
  for (const [at, { name, call_id, arguments: args }] of calls.entries()) {
    try {
      const action = toolCall({
        ...{ name, args, id: call_id },
        where: `the arguments of ${name}`,
        text: at === 0 ? message : "",
      });
      step = await session.step(action);
      toolOutputs.push({ call_id, output: step.observation.content });
    } catch (error) {
      if (!(error instanceof RequestError) || error.status !== 400) throw error;
      const count = (parseErrors.get(episode) ?? 0) + 1;
      parseErrors.set(episode, count);
      if (count > MAX_PARSE_ERRORS) {
        await session.truncate("parse_errors");
        return c.json(cutOff());
      }
      toolOutputs.push({ call_id, output: `Error: ${error.message}` });
    }
    if (step !== undefined && step.stopReason !== null) break;
  }
  return c.json(resultOf(step, { toolOutputs }));
}

/** Returns the session id in a request's cookie, or `undefined` if there is none. */
export function sessionCookie(c: Context): string | undefined {
  return getCookie(c, COOKIE);
}

function resultOf(
  step: SessionStep | undefined,
  { observation = null, toolOutputs }: {
    readonly observation?: string | null;
    readonly toolOutputs?: readonly object[];
  },
) {
  const stop = step?.stopReason ?? null;
  return {
    observation,
    reward: step?.reward?.value ?? 0,
    terminated: stop !== null && stop !== "max_turns",
    truncated: stop === "max_turns",
    info: {
      ...(toolOutputs === undefined ? {} : { tool_outputs: toolOutputs }),
      ...(stop === null ? {} : { stop_reason: stop }),
    },
  };
}

function cutOff() {
  const info = { stop_reason: "parse_errors" };
  return { ...resultOf(undefined, {}), truncated: true, info };
}

function textOf(item: OutputItem): string {
  if (item.type !== "message") return "";
  const content = item.content as string | z.infer<typeof textParts>;
  return typeof content === "string" ? content : content
    .flatMap(({ type, text }) => type === "output_text" ? [text ?? ""] : [])
    .join("");
}

/**
 * Returns the rows of a split. Each row contains the prompt before the user's first message, the tools, and the split,
 * task and seed, which the trainer passes to `POST /reset`.
 */
function rowsOf(
  dataset: Dataset,
  { split, seed }: { readonly split: Split; readonly seed: number },
) {
  const input = openingMessages({ dataset, firstMessage: "" }, "full")
    .slice(0, -1);
  const tools = dataset.tools.map(({ function: tool }) => ({
    type: "function",
    ...tool,
    strict: false,
  }));
  return dataset.tasks(split).map(({ index }) => ({
    responses_create_params: { input, tools },
    ...{ split, task: index, seed },
    agent_ref: { type: "responses_api_agents", name: "gymnasium_agent" },
  }));
}
