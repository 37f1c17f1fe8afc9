/**
 * Episodes over HTTP, for trainers that sample elsewhere: `POST /episodes`, health, metrics.
 *
 * @module
 */

import { Hono } from "hono";
import { bearerAuth } from "hono/bearer-auth";
import type { EpisodeService } from "./episode_service.ts";
import { readEpisodeRequest } from "./episode_request.ts";
import { answerErrors, jsonOf } from "./http_errors.ts";

/** Settings of {@linkcode episodesApp}. */
export interface EpisodesAppOptions {
  readonly service: EpisodeService;
  /** taulab's version, for `/info`. */
  readonly version: string;
  /** Demanded of every request but health checks, where it is given. */
  readonly token?: string;
}

/** The app; serve it by `Deno.serve(options, app.fetch)`. */
export function episodesApp(
  { service, version, token }: EpisodesAppOptions,
): Hono {
  const app = new Hono();
  const { world, metrics } = service;
  if (token !== undefined) {
    for (const path of ["/episodes", "/metrics", "/info"]) {
      app.use(path, bearerAuth({ token }));
    }
  }
  answerErrors(app);
  app.post("/episodes", async (c) => {
    const request = readEpisodeRequest(await jsonOf(c));
    const { signal } = c.req.raw;
    return c.json(await service.run(request, { signal }));
  });
  app.get("/health", (c) =>
    c.json({
      status: "ok",
      episodes: { running: service.running, ...metrics.counts },
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
