/**
 * Creates the HTTP app of an environment server, which offers sessions with one dataset to trainers. The app supports
 * several protocols.
 */

import { Hono } from "hono";
import { domainKey } from "../../domains/registry.ts";
import { answerErrors } from "../http_errors.ts";
import { type BodyLimits, textOf } from "../bounded_json.ts";
import { guard } from "../request_guard.ts";
import type { LiveSessions } from "./live_sessions.ts";
import {
  nemoGymBody,
  nemoGymPath,
  nemoGymReset,
  nemoGymRoutes,
  nemoGymStep,
  sessionCookie,
} from "./nemo_gym.ts";
import {
  openEnvClose,
  openEnvReset,
  openEnvRoutes,
  openEnvStep,
} from "./openenv.ts";
import { plainWithout, readObject } from "./session_action.ts";
import { tokenGuard } from "./token_guard.ts";

/** Options for {@linkcode environmentApp}. */
export interface EnvironmentAppOptions {
  readonly sessions: LiveSessions;
  /** taulab's version. */
  readonly version: string;
  /** The token that all requests except health checks must carry. Default: no token is required. */
  readonly token?: string | undefined;
  /** The limits on request bodies. Default: 1 MiB (64 MiB for the results of NeMo Gym's rollouts) within 30 s. */
  readonly limits?: BodyLimits;
}

/** Creates the app of an environment server. Serve it with `Deno.serve(options, app.fetch)`. */
export function environmentApp(
  { sessions, version, token, limits }: EnvironmentAppOptions,
): Hono {
  const app = new Hono({ getPath: nemoGymPath });
  const { world, metrics } = sessions;
  guard(app, { token });
  if (token !== undefined) tokenGuard(app, { token, open: ["/health"] });
  answerErrors(app);
  app.get("/health", (c) =>
    c.json({
      status: "healthy",
      pid: Deno.pid,
      open: sessions.size,
      ...metrics.counts,
    }));
  app.get("/metrics", async (c) =>
    c.text(await metrics.text(), 200, {
      "content-type": "text/plain; version=0.0.4; charset=utf-8",
    }));
  app.get("/tasks", (c) =>
    c.json({
      name: domainKey(world.dataset),
      data: world.dataset.name,
      fingerprint: world.dataset.fingerprint,
      split: world.split,
      splits: Object.fromEntries(
        world.dataset.splits.map((
          split,
        ) => [split, world.dataset.tasks(split).map(({ index }) => index)]),
      ),
      max_turns: world.maxTurns,
    }));
  // OpenEnv and NeMo Gym use the same paths; their bodies distinguish them.
  app.post("/reset", async (c) => {
    const text = await textOf(c, limits) || "{}";
    const body = nemoGymBody(text);
    return body === undefined
      ? c.json(await openEnvReset(plainWithout(readObject(text)), sessions))
      : await nemoGymReset(c, { body, sessions });
  });
  app.post("/step", async (c) => {
    const text = await textOf(c, limits) || "{}";
    const body = nemoGymBody(text);
    return body === undefined
      ? c.json(await openEnvStep(readObject(text), sessions))
      : await nemoGymStep(c, { body, sessions });
  });
  app.post("/close", async (c) => {
    const cookie = sessionCookie(c);
    const text = await textOf(c, limits) || "{}";
    const body = plainWithout(readObject(text));
    if (cookie === undefined) openEnvClose(body, sessions);
    else sessions.close(cookie);
    return c.json({ status: "closed" });
  });
  openEnvRoutes(app, { sessions, version, limits });
  nemoGymRoutes(app, { sessions, limits });
  return app;
}
