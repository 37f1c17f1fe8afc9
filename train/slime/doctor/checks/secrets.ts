/**
 * Checks that keys and tokens are set where they are needed. Checks only whether they have a value, not whether the
 * value is valid.
 */

import { asksModel } from "../../../../env/users/registry.ts";
import { resolveEndpoint } from "../../../../env/models/endpoints.ts";
import { ConfigError } from "../../../../env/errors.ts";
import { isLoopback } from "../../../../env/serve/loopback.ts";
import { needsWandbKey } from "../../plan/tracking.ts";
import type { SlimeConfig } from "../../slime_schema.ts";
import {
  type Check,
  type CheckContext,
  fail,
  type Observed,
  verdict,
} from "../check.ts";

/** The `secrets` check. */
export const check: Check = {
  id: "secrets",
  order: 170,
  title: "keys and tokens are set where they are needed",
  run(context) {
    const { config, env } = context;
    const needed = neededNames(config);
    const missing = needed.filter(({ name }) => !env(name));
    const names = needed.map(({ name }) => name);
    return Promise.resolve(verdict(
      [
        ...endpointFaults(context),
        ...missing.map(({ name, why }) =>
          fail(
            `${name} is not set, but ${why}`,
            `set ${name} in the environment of this command`,
          )
        ),
      ],
      names.length === 0
        ? "no key or token is needed"
        : `set: ${names.join(", ")}`,
    ));
  },
};

function neededNames(
  config: SlimeConfig,
): { readonly name: string; readonly why: string }[] {
  const { bridge, cluster } = config;
  const places = bridge.services.length > 0
    ? bridge.services.map((url) => new URL(url).hostname)
    : [bridge.address ?? cluster.address];
  const open = places.find((place) => !isLoopback(place));
  return [
    ...(open === undefined ? [] : [{
      name: "TAULAB_TOKEN",
      why: `episode servers listen on ${open}, which other hosts can reach`,
    }]),
    ...(needsWandbKey(config)
      ? [{ name: "WANDB_API_KEY", why: "tracking.wandb is true" }]
      : []),
  ];
}

/** Checks that the key for the user's endpoint is set. Finds no fault if the endpoint needs no key. */
function endpointFaults({ config: { user }, env }: CheckContext): Observed[] {
  if (!asksModel(user.strategy)) return [];
  try {
    resolveEndpoint({ ...user.endpoint, env });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [fail(error.message, error.hint ?? "fix user.endpoint.baseUrl")];
  }
}
