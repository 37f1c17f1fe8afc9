/** Generates airline worlds: flights, users, reservations and tasks. */

import type { Table } from "../../../database.ts";
import policy from "../policy.md" with { type: "text" };
import { createRng, type Rng } from "../../../random.ts";
import { drawTasks, Ids } from "../../../generated/draw.ts";
import type {
  BatchDraw,
  BatchPlace,
  TaskBatch,
  WorldDraw,
  WorldPart,
} from "../../../generated/world.ts";
import { addExtras, drawAirlineTask, drawRequestKinds } from "./draw_task.ts";
import type { RequestKind } from "./drawn.ts";
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

/** The `world` part of the airline domain, which generates a dataset from a seed and options. */
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

  begin(place: BatchPlace, rng: Rng): BatchDraw {
    const kinds = Array.from(
      { length: place.count },
      () => drawRequestKinds(rng, this.#options),
    );
    return {
      about: kinds.flat().map(({ intent }) => `"${intent}"`).join(", "),
      advice: ADVICE,
      draw: () => this.#drawBatch(place, { rng, kinds }),
    };
  }

  #drawBatch(
    place: BatchPlace,
    { rng, kinds }: {
      rng: Rng;
      kinds: readonly (readonly RequestKind[])[];
    },
  ): TaskBatch | undefined {
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
      kinds,
      (requests, place) =>
        drawAirlineTask(world, { user, kinds: requests, place }),
    );
    if (tasks === undefined) return undefined;
    addExtras(world, user);
    return { place, tasks, rows: people };
  }

  tables(batches: readonly TaskBatch[]): Map<string, Table> {
    const rng = createRng(this.#seed, "tables");
    const all = batches.flatMap(({ rows }) => rows as readonly Passenger[]);
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
