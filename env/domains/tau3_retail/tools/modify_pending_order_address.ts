import { model } from "../../shared/toolkit/result_text.ts";
import { ADDRESS_PARAMETERS, addressOf } from "../address.ts";
import { editOrder } from "../find_rows.ts";
import { retailTool } from "../retail_tool.ts";

/** Changes a pending order's shipping address, even after its items were modified. */
export const modifyPendingOrderAddress = retailTool({
  name: "modify_pending_order_address",
  kind: "write",
  parameters: ["order_id", ...ADDRESS_PARAMETERS],
  run(database, { order_id, ...address }) {
    const order = editOrder(database, order_id, {
      isRight: (status) => status.includes("pending"),
      refusal: "Non-pending order cannot be modified",
    });
    order.set("address", addressOf(address));
    return model(order);
  },
});
