/** An episode server, as a slime recipe has it: its world, its recorder, its interface. */

import denoConfig from "../../../deno.json" with { type: "json" };
import { EpisodeService } from "../../../env/serve/episode_service.ts";
import { episodesApp } from "../../../env/serve/episodes_app.ts";
import type { CallOptions } from "../../../env/types.ts";
import type { SlimeConfig } from "../slime_schema.ts";
import { openEpisodeRecorder } from "./episode_recorder.ts";
import { openEpisodeWorld } from "./episode_world.ts";

/** Settings of {@linkcode openEpisodeServer}. */
export interface EpisodeServerOptions extends CallOptions {
  /** The run dir that episodes are kept in. Default: they are not. */
  readonly record?: string | undefined;
  /** `HOST[:PORT]` of engines beyond those of the recipe. */
  readonly allowEngines?: readonly string[] | undefined;
  /** What clients have to show. Default: nothing. */
  readonly token?: string | undefined;
}

/** A server that is ready to be listened with. Disposed of, it plays no more and has written what it played. */
export interface EpisodeServer extends AsyncDisposable {
  readonly app: ReturnType<typeof episodesApp>;
  readonly world: EpisodeService["world"];
  /** The secret by which it can be stopped over HTTP. */
  readonly instance: string;
  /** Aborted once it is. */
  readonly stopped: AbortSignal;
  /** Takes no more episodes; those under way go on. */
  drain(): void;
  /** Resolves once no episode is under way. */
  ended(): Promise<void>;
}

/** Opens it. @throws As `openEpisodeWorld` and `openEpisodeRecorder`. */
export async function openEpisodeServer(
  config: SlimeConfig,
  { record, token, allowEngines, signal }: EpisodeServerOptions = {},
): Promise<EpisodeServer> {
  const world = await openEpisodeWorld(config, { allowEngines, signal });
  const recorder = record === undefined
    ? undefined
    : await openEpisodeRecorder(record);
  const service = new EpisodeService({
    ...world,
    ...recorder && { onEpisode: (ended) => recorder.add(ended) },
  });
  const instance = crypto.randomUUID();
  const stopped = new AbortController();
  const app = episodesApp({
    service,
    version: denoConfig.version,
    stop: { instance, onStop: () => stopped.abort() },
    ...recorder && { recorded: () => recorder.counts },
    ...token !== undefined && { token },
  });
  return {
    app,
    world: service.world,
    instance,
    stopped: stopped.signal,
    drain: () => service.drain(),
    ended: () => service.ended(),
    [Symbol.asyncDispose]: async () => await recorder?.[Symbol.asyncDispose](),
  };
}
