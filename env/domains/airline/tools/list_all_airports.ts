import { printPythonJson } from "../../../python/python_json.ts";
import { defineTool } from "../../../tool.ts";

/** The city of each airport, keyed by airport code, in the order in which the tool lists them. */
export const AIRPORTS: ReadonlyMap<string, string> = new Map([
  ["SFO", "San Francisco"],
  ["JFK", "New York"],
  ["LAX", "Los Angeles"],
  ["ORD", "Chicago"],
  ["DFW", "Dallas"],
  ["DEN", "Denver"],
  ["SEA", "Seattle"],
  ["ATL", "Atlanta"],
  ["MIA", "Miami"],
  ["BOS", "Boston"],
  ["PHX", "Phoenix"],
  ["IAH", "Houston"],
  ["LAS", "Las Vegas"],
  ["MCO", "Orlando"],
  ["EWR", "Newark"],
  ["CLT", "Charlotte"],
  ["MSP", "Minneapolis"],
  ["DTW", "Detroit"],
  ["PHL", "Philadelphia"],
  ["LGA", "LaGuardia"],
]);

const LISTING = printPythonJson(new Map(AIRPORTS));

/** Lists the airports and their cities. The list is fixed, and does not depend on the flights. */
export const listAllAirports = defineTool({
  name: "list_all_airports",
  parameters: [],
  run: () => LISTING,
});
