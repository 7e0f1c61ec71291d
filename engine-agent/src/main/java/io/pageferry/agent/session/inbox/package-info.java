/**
 * What stands between the connections of a target and its slots:
 * {@link io.pageferry.agent.session.inbox.TargetListener} finds out what each connection is for,
 * and hands it over by the {@link io.pageferry.agent.session.inbox.SlotInbox} of its slot.
 */
package io.pageferry.agent.session.inbox;
