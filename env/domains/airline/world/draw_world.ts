/** The airline's part of the world generator. */

import type { Table } from "../../../database.ts";
import policy from "../policy.md" with { type: "text" };
import { createRng, type Rng } from "../../../random.ts";
import { drawTasks, Ids } from "../../../generated/draw.ts";
import type {
  Lot,
  LotDraw,
  LotPlace,
  WorldDraw,
  WorldPart,
} from "../../../generated/world.ts";
import { addExtras, drawAirlineTask, settleRequests } from "./draw_task.ts";
import type { Settled } from "./drawn.ts";
import { drawFlights, type Flight, flightRow } from "./flight_rows.ts";
import { type AirlineOptions, airlineOptionsSchema } from "./options.ts";
import { airlinePrompts } from "./world_prompts.ts";
import {
  drawPassenger,
  type Passenger,
  passengerRow,
  reservationRow,
} from "./rows.ts";
import { airlineTools } from "./tool_schemas.ts";

/** The airline's `world` part. */
export const airlineWorld = {
  options: airlineOptionsSchema,
  version: 2,
  policy,
  tools: airlineTools,
  terminatingTools: ["transfer_to_human_agents"],
  prompts: airlinePrompts,
  open: (seed: number, options: AirlineOptions) =>
    new AirlineDraw(seed, options),
} satisfies WorldPart<AirlineOptions>;

const ADVICE =
  "allow more airports or more flights per route, or set the intent's weight to 0";

class AirlineDraw implements WorldDraw {
  readonly #seed: number;
  readonly #options: AirlineOptions;
  readonly #ids = new Ids();
  readonly #routes: ReadonlyMap<string, readonly Flight[]>;

  constructor(seed: number, options: AirlineOptions) {
    this.#seed = seed;
    this.#options = options;
    this.#routes = drawFlights(createRng(seed, "flights"), options);
  }

  begin(place: LotPlace, rng: Rng): LotDraw {
    const settled = Array.from(
      { length: place.count },
      () => settleRequests(rng, this.#options),
    );
    return {
      about: settled.flat().map(({ intent }) => `"${intent}"`).join(", "),
      advice: ADVICE,
      draw: () => this.#drawLot(place, { rng, settled }),
    };
  }

  #drawLot(
    place: LotPlace,
    { rng, settled }: {
      rng: Rng;
      settled: readonly (readonly Settled[])[];
    },
  ): Lot | undefined {
    const people: Passenger[] = [];
    const world = {
      rng,
      ids: this.#ids,
      options: this.#options,
      routes: this.#routes,
      people,
    };
    const user = drawPassenger(world);
    const tasks = drawTasks(
      place,
      settled,
      (requests, place) =>
        drawAirlineTask(world, { user, settled: requests, place }),
    );
    if (tasks === undefined) return undefined;
    addExtras(world, user);
    return { place, tasks, rows: people };
  }

  tables(lots: readonly Lot[]): Map<string, Table> {
    const rng = createRng(this.#seed, "tables");
    const all = lots.flatMap(({ rows }) => rows as readonly Passenger[]);
    // Seeded by the user id alone, so that certified tasks do not change when users are added.
    const people = rng.shuffle(all).map((one) => ({
      ...one,
      reservations: createRng(this.#seed, "reservations", one.userId)
        .shuffle(one.reservations),
    }));
    const held = rng.shuffle(people.flatMap((one) => one.reservations));
    const flights = [...this.#routes.values()].flat();
    return new Map<string, Table>([
      ["flights", new Map(flights.map((one) => [one.number, flightRow(one)]))],
      [
        "reservations",
        new Map(held.map((one) => [one.id, reservationRow(one)])),
      ],
      ["users", new Map(people.map((one) => [one.userId, passengerRow(one)]))],
    ]);
  }
}
