/**
 * Registers the library domain. `deno run --preload=test/support/library_desk/register.ts …` makes it available in any
 * task.
 */

import { registerDomain } from "../../../env/domains/registry.ts";
import { library } from "./domain.ts";

registerDomain(library);
