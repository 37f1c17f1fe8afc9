/** Starts environment servers in the test's process, with a small generated world. */

import { generated } from "../../env/generated/generated.ts";
import {
  environmentApp,
  type EnvironmentAppOptions,
} from "../../env/serve/environment/environment_app.ts";
import type { SessionWorld } from "../../env/serve/environment/live_session.ts";
import {
  LiveSessions,
  type LiveSessionsOptions,
} from "../../env/serve/environment/live_sessions.ts";
import { scriptedUser } from "../../env/users/scripted.ts";

/** The dataset that the servers use by default. */
export const SERVED_DATASET = await generated(7, {
  trainTasks: 4,
  devTasks: 1,
  testTasks: 2,
});

/** Options for {@linkcode environmentServer}. */
export interface EnvironmentServerOptions extends LiveSessionsOptions {
  readonly world?: Partial<SessionWorld>;
  readonly app?: Partial<EnvironmentAppOptions>;
}

/** A running environment server. Disposing of it stops the server. */
export interface EnvironmentServer extends AsyncDisposable {
  /** The URL of the server, such as `http://127.0.0.1:40001`. */
  readonly url: string;
  readonly sessions: LiveSessions;
  /**
   * Posts a body as JSON. A string is sent unchanged.
   * @returns The status, the headers and the parsed JSON of the response.
   */
  post(
    path: string,
    body: unknown,
    headers?: Record<string, string>,
    // deno-lint-ignore no-explicit-any -- tests read arbitrary fields
  ): Promise<{ status: number; headers: Headers; json: any }>;
}

/** Starts an environment server on a free port. */
export function environmentServer(
  { world, app, ...options }: EnvironmentServerOptions = {},
): EnvironmentServer {
  const sessions = new LiveSessions({
    dataset: SERVED_DATASET,
    user: scriptedUser(SERVED_DATASET),
    split: "train",
    seed: 1,
    maxTurns: 30,
    ...world,
  }, options);
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    environmentApp({ sessions, version: "0", ...app }).fetch,
  );
  const url = `http://127.0.0.1:${server.addr.port}`;
  return {
    url,
    sessions,
    async post(path, body, headers = {}) {
      const response = await fetch(`${url}${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      });
      const { status, headers: answered } = response;
      return { status, headers: answered, json: await response.json() };
    },
    async [Symbol.asyncDispose]() {
      sessions[Symbol.dispose]();
      await server.shutdown();
    },
  };
}
