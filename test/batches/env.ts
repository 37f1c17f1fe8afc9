/** Runs the tests of the batch `env`. */

import { importBatch } from "../support/batches.ts";

await importBatch("env");
