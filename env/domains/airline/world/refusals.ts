/** Draws what policy refuses: each clause by each tool that it binds. */

import type { AirlineIntent } from "../goal/request.ts";
import { isWrite } from "../../../audit/finding.ts";
import { happens } from "../../../generated/draw.ts";
import type { DrawnTrip, Of, Settled } from "./drawn.ts";
import { REFUSED_BOOKINGS } from "./refused_bookings.ts";
import { REFUSED_CHANGES } from "./refused_changes.ts";
import { REFUSED_STATES } from "./refused_states.ts";
import type { AirlineWorld } from "./rows.ts";

/** A request that policy refuses. */
export interface Refused {
  /** What is asked for; its write, where it has one, is not made. */
  readonly asked: DrawnTrip;
  /** What the agent has to tell. */
  readonly told: string;
  /** What can be done instead. */
  readonly instead?: DrawnTrip | undefined;
}

/** Draws a request that a clause refuses; `undefined` where the draw came to nothing. */
export type DrawRefused = (world: AirlineWorld, of: Of) => Refused | undefined;

/** By intent what can refuse it. */
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

/** Draws a request that policy refuses, and what is asked for then. */
export function drawRefused(
  world: AirlineWorld,
  of: Of,
  { isOther, clause: at }: NonNullable<Settled["refusal"]>,
): DrawnTrip | undefined {
  const { rng, options } = world;
  const clauses = Object.entries(CLAUSES[of.intent] ?? {})
    .filter(([clause]) => clause.startsWith("account.") === isOther);
  const [clause, draw] = clauses[Math.floor(at * clauses.length)] ?? [];
  const refused = draw?.(world, of);
  if (clause === undefined || refused === undefined) return undefined;
  const { asked, told, instead } = refused;
  const outputs = [told];
  const then = happens(rng, options.fallbackShare) ? instead : undefined;
  return {
    request: { ...asked.request, refused: true, refusedBy: clause, outputs },
    actions: asked.actions.filter((action) => !isWrite(action)),
    outputs,
    ...then && { then: fallback(then) },
  };
}

/** The agent knows the details by then, but for those that differ. */
function fallback(drawn: DrawnTrip): DrawnTrip {
  return {
    ...drawn,
    request: { ...drawn.request, fallback: true, forthcoming: true },
  };
}
