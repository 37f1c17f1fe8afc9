import { model, resultText } from "../../shared/toolkit/result_text.ts";
import { AIRPORTS } from "../../airline/tools/list_all_airports.ts";
import { airlineTool } from "../airline_tool.ts";

const LISTING = resultText(
  Array.from(
    AIRPORTS,
    ([iata, city]) => model(new Map([["iata", iata], ["city", city]])),
  ),
);

/** Lists the airports and their cities. The list is fixed, and does not depend on the flights. */
export const listAllAirports = airlineTool({
  name: "list_all_airports",
  kind: "read",
  parameters: [],
  run: () => LISTING,
});
