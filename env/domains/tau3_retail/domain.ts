/** Defines τ³-bench's retail domain. */

import { serveRetail } from "../retail/expert/serve_retail.ts";
import { retailRows } from "../retail/owned_rows.ts";
import { retailUser } from "../retail/user/retail_user.ts";
import { withoutThoughts } from "../shared/expert/without_thoughts.ts";
import { defineDomain } from "../../domain.ts";
import { jsonStateHash, sameJsonState } from "../../json_state.ts";
import { loadTables, rowSchemasOf } from "../shared/toolkit/bundle_database.ts";
import {
  calculateTool,
  transferTool,
} from "../shared/toolkit/generic_tools.ts";
import { retailModels } from "./models.ts";
import { RETAIL_TOOLS } from "./retail_tool.ts";
import { cancelPendingOrder } from "./tools/cancel_pending_order.ts";
import { exchangeDeliveredOrderItems } from "./tools/exchange_delivered_order_items.ts";
import { findUserIdByEmail } from "./tools/find_user_id_by_email.ts";
import { findUserIdByNameZip } from "./tools/find_user_id_by_name_zip.ts";
import { getItemDetails } from "./tools/get_item_details.ts";
import { getOrderDetails } from "./tools/get_order_details.ts";
import { getProductDetails } from "./tools/get_product_details.ts";
import { getUserDetails } from "./tools/get_user_details.ts";
import { listAllProductTypes } from "./tools/list_all_product_types.ts";
import { modifyPendingOrderAddress } from "./tools/modify_pending_order_address.ts";
import { modifyPendingOrderItems } from "./tools/modify_pending_order_items.ts";
import { modifyPendingOrderPayment } from "./tools/modify_pending_order_payment.ts";
import { modifyUserAddress } from "./tools/modify_user_address.ts";
import { returnDeliveredOrderItems } from "./tools/return_delivered_order_items.ts";

const LAYOUT = {
  products: "object",
  users: "object",
  orders: "object",
} as const;

/**
 * τ³-bench's retail domain. Its tools perform the same checks in the same order as the original tools, return the same
 * strings and have the same effects.
 *
 * @see sierra-research/tau2-bench, src/tau2/domains/retail.
 */
export const tau3Retail = defineDomain({
  benchmark: "tau3",
  name: "retail",
  rowSchemas: rowSchemasOf(retailModels),
  tools: [
    calculateTool(RETAIL_TOOLS),
    cancelPendingOrder,
    exchangeDeliveredOrderItems,
    findUserIdByNameZip,
    findUserIdByEmail,
    getOrderDetails,
    getProductDetails,
    getItemDetails,
    getUserDetails,
    listAllProductTypes,
    modifyPendingOrderAddress,
    modifyPendingOrderItems,
    modifyPendingOrderPayment,
    modifyUserAddress,
    returnDeliveredOrderItems,
    transferTool(RETAIL_TOOLS),
  ],
  rows: retailRows,
  scriptedUser: retailUser,
  expert: withoutThoughts(serveRetail),
  bundle: {
    load: ({ agent }) => ({
      agent: loadTables("RetailDB", retailModels, agent),
    }),
    hash: (database) => jsonStateHash(database, LAYOUT),
    isSame: (left, right) => sameJsonState(left, right, LAYOUT),
  },
});
