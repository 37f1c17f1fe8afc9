/**
 * Opens the episode server of a slime recipe: its dataset, tokenizer and user, the recorder of its episodes, and its
 * HTTP interface.
 */

import { basename } from "node:path";
import denoConfig from "../../../deno.json" with { type: "json" };
import { KeepAlive } from "../../../env/models/keep_alive.ts";
import { EpisodeService } from "../../../env/serve/episode_service.ts";
import { episodesApp } from "../../../env/serve/episodes_app.ts";
import type { CallOptions } from "../../../env/types.ts";
import type { SlimeConfig } from "../slime_schema.ts";
import { openEpisodeRecorder } from "./episode_recorder.ts";
import { openEpisodeWorld } from "./episode_world.ts";

/** Options for {@linkcode openEpisodeServer}. */
export interface EpisodeServerOptions extends CallOptions {
  /** The run dir to record episodes in. Default: episodes are not recorded. */
  readonly record?: string | undefined;
  /** Engines to allow in addition to the recipe's, each as `HOST[:PORT]`. Default: none. */
  readonly allowEngines?: readonly string[] | undefined;
  /** The token that clients must send. Default: no token is required. */
  readonly token?: string | undefined;
}

/**
 * An episode server that is ready to listen. Disposing of it closes its connections to engines and writes the episodes
 * that are not recorded yet.
 */
export interface EpisodeServer extends AsyncDisposable {
  readonly app: ReturnType<typeof episodesApp>;
  readonly world: EpisodeService["world"];
  /** The secret that allows a client to stop the server over HTTP. */
  readonly instance: string;
  /** Aborted when a client has asked the server to stop. */
  readonly stopped: AbortSignal;
  /** Refuses new episodes; running episodes continue. */
  drain(): void;
  /** Resolves once no episodes are running. */
  ended(): Promise<void>;
}

/**
 * Opens the episode server of a recipe.
 * @throws {ConfigError} If the model that plays the user does not answer, the address of an engine is not
 * `HOST[:PORT]`, or the settings of the dataset are invalid.
 * @throws {DataError} If the dataset, the tokenizer or the chat template is damaged or missing.
 * @throws {RunDirError} If the run dir in `record` does not exist, or its database cannot be written.
 */
export async function openEpisodeServer(
  config: SlimeConfig,
  { record, token, allowEngines, signal }: EpisodeServerOptions = {},
): Promise<EpisodeServer> {
  const world = await openEpisodeWorld(config, { allowEngines, signal });
  const recorder = record === undefined
    ? undefined
    : await openEpisodeRecorder(record);
  const connections = new KeepAlive();
  const service = new EpisodeService({
    ...world,
    post: connections.post,
    ...recorder && { onEpisode: (ended) => recorder.add(ended) },
  });
  const instance = crypto.randomUUID();
  const stopped = new AbortController();
  const app = episodesApp({
    service,
    version: denoConfig.version,
    stop: { instance, onStop: () => stopped.abort() },
    ...recorder && { recorded: () => recorder.counts },
    ...record !== undefined && { run: basename(record) },
    ...token !== undefined && { token },
  });
  return {
    app,
    world: service.world,
    instance,
    stopped: stopped.signal,
    drain: () => service.drain(),
    ended: () => service.ended(),
    async [Symbol.asyncDispose]() {
      connections[Symbol.dispose]();
      await recorder?.[Symbol.asyncDispose]();
    },
  };
}
