/**
 * What stands between the connections of a target and its slots:
 * {@link io.pageferry.agent.session.door.TargetListener} finds out what each connection is for, and
 * hands it over by the {@link io.pageferry.agent.session.door.SlotDoor} of the slot that it is for.
 */
package io.pageferry.agent.session.door;
