/**
 * Creates the HTTP app of an episode server, for trainers that have their own engines. The app serves `POST /episodes`,
 * health checks and metrics.
 */

import { Hono } from "hono";
import { bearerAuth } from "hono/bearer-auth";
import { z } from "zod";
import { answerBytes } from "./episode_answer.ts";
import type { EpisodeService } from "./episode_service.ts";
import { readEpisodeRequest } from "./episode_request.ts";
import { guard } from "./request_guard.ts";
import { type BodyLimits, jsonOf } from "./bounded_json.ts";
import { answerErrors } from "./http_errors.ts";
import { readBody } from "./read_body.ts";
import { RequestError } from "./served_policy.ts";
import { slowJson } from "./slow_json.ts";

const stopSchema = z.strictObject({ instance: z.string() });

/** Options for {@linkcode episodesApp}. */
export interface EpisodesAppOptions {
  readonly service: EpisodeService;
  /** taulab's version, as reported by `/info`. */
  readonly version: string;
  /**
   * The token that all requests except health checks and {@linkcode EpisodesAppOptions.stop} must carry. Default: no
   * token is required.
   */
  readonly token?: string;
  /**
   * Lets the process that started the server stop it over HTTP. The request must contain `instance`, a secret that only
   * that process knows.
   */
  readonly stop?: { readonly instance: string; readonly onStop: () => void };
  /** The name of the run that the episodes belong to, as reported by `/health`. Default: none. */
  readonly run?: string | undefined;
  /**
   * Returns the number of episodes that were saved to a run dir (`kept`) and the number that could not be saved
   * (`lost`). `/health` reports both numbers.
   */
  readonly recorded?: () => { readonly kept: number; readonly lost: number };
  /** The limits on request bodies. Default: 1 MiB within 30 s. */
  readonly limits?: BodyLimits;
}

/** Creates the app of an episode server. Serve it with `Deno.serve(options, app.fetch)`. */
export function episodesApp(
  { service, version, token, stop, run, recorded, limits }: EpisodesAppOptions,
): Hono {
  const app = new Hono();
  const { world, metrics } = service;
  guard(app, { token });
  if (token !== undefined) {
    for (const path of ["/episodes", "/metrics", "/info"]) {
      app.use(path, bearerAuth({ token }));
    }
  }
  answerErrors(app);
  app.post("/episodes", async (c) => {
    const request = readEpisodeRequest(await jsonOf(c, limits));
    await service.requireEngine(request);
    const play = service.begin(request);
    return slowJson(async (signal) => answerBytes(await play(signal)), {
      client: c.req.raw.signal,
    });
  });
  app.post("/stop", async (c) => {
    const { instance } = readBody(stopSchema, await jsonOf(c, limits));
    if (stop === undefined) {
      throw new RequestError("This server cannot be stopped over HTTP", 404);
    }
    if (instance !== stop.instance) {
      throw new RequestError("Another process started this server", 404);
    }
    service.stop();
    stop.onStop();
    return c.json({ status: "ending" });
  });
  app.get("/health", (c) =>
    c.json({
      status: service.isDraining ? "draining" : "ok",
      pid: Deno.pid,
      ...(run === undefined ? {} : { run }),
      episodes: { running: service.running, ...metrics.counts },
      ...(recorded === undefined ? {} : { recorded: recorded() }),
    }));
  app.get("/metrics", async (c) =>
    c.text(await metrics.text(), 200, {
      "content-type": "text/plain; version=0.0.4; charset=utf-8",
    }));
  app.get("/info", (c) =>
    c.json({
      version,
      pid: Deno.pid,
      data: world.dataset.name,
      fingerprint: world.dataset.fingerprint,
      splits: Object.fromEntries(
        world.dataset.splits.map((
          split,
        ) => [split, world.dataset.tasks(split).length]),
      ),
      agent: world.strategy,
      user: world.userName,
      max_turns: world.maxTurns,
    }));
  return app;
}
