/** Draws requests that policy refuses. The clauses that can refuse a request depend on its intent. */

import type { AirlineIntent } from "../goal/request.ts";
import { isWrite } from "../../../audit/finding.ts";
import { happens } from "../../../generated/draw.ts";
import type { DrawnTrip, RequestKind, UserIntent } from "./drawn.ts";
import { REFUSED_BOOKINGS } from "./refused_bookings.ts";
import { REFUSED_CHANGES } from "./refused_changes.ts";
import { REFUSED_STATES } from "./refused_states.ts";
import type { AirlineWorld } from "./rows.ts";

/** A request that policy refuses. */
export interface RefusedRequest {
  /** The refused request; its write, if any, must not be made. */
  readonly drawn: DrawnTrip;
  /** The string that the agent's refusal must contain. */
  readonly output: string;
  /** An alternative that policy allows. */
  readonly instead?: DrawnTrip | undefined;
}

/** A function that draws a request that a specific clause refuses, or returns `undefined` if the draw fails. */
export type DrawRefused = (
  world: AirlineWorld,
  of: UserIntent,
) => RefusedRequest | undefined;

/** The functions that draw refused requests, by intent and by the clause that refuses them. */
const CLAUSES: Readonly<
  Partial<Record<AirlineIntent, Readonly<Record<string, DrawRefused>>>>
> = {
  book: REFUSED_BOOKINGS,
  cancel: REFUSED_STATES.cancel,
  certificate: REFUSED_STATES.certificate,
  change_flights: REFUSED_CHANGES.change_flights,
  change_cabin: REFUSED_CHANGES.change_cabin,
  change_passengers: REFUSED_CHANGES.change_passengers,
  add_bags: REFUSED_CHANGES.add_bags,
};

/**
 * Draws a request that policy refuses, possibly with an alternative that the user asks for instead. Returns `undefined`
 * if the draw fails.
 */
export function drawRefused(
  world: AirlineWorld,
  of: UserIntent,
  { isOther, clause: at }: NonNullable<RequestKind["refusal"]>,
): DrawnTrip | undefined {
  const { rng, options } = world;
  const clauses = Object.entries(CLAUSES[of.intent] ?? {})
    .filter(([clause]) => clause.startsWith("account.") === isOther);
  const [clause, draw] = clauses[Math.floor(at * clauses.length)] ?? [];
  const refused = draw?.(world, of);
  if (clause === undefined || refused === undefined) return undefined;
  const { drawn, output, instead } = refused;
  const outputs = [output];
  const then = happens(rng, options.fallbackShare) ? instead : undefined;
  return {
    request: { ...drawn.request, refused: true, refusedBy: clause, outputs },
    actions: drawn.actions.filter((action) => !isWrite(action)),
    outputs,
    ...then && { then: fallback(then) },
  };
}

/**
 * Returns a request marked as the alternative to a refused request. The user states its details without being asked.
 */
function fallback(drawn: DrawnTrip): DrawnTrip {
  return {
    ...drawn,
    request: { ...drawn.request, fallback: true, forthcoming: true },
  };
}
