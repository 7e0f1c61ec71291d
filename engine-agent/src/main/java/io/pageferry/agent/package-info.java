/**
 * The source and the target agent, with everything that touches an operating system.
 *
 * <p>What of this module is for embedders; nothing else of it is exported, but to engine-bench:
 * <ul>
 * <li>{@link io.pageferry.agent.embed.OutgoingMigration}: moves a guest that is an object of your
 * program
 * <li>{@link io.pageferry.agent.embed.IncomingMigration}: receives into one
 * <li>{@link io.pageferry.agent.embed.MigrationBuilder}: what both have in common
 * <li>{@link io.pageferry.agent.embed.MigrationReport}: how it ended and what was measured
 * <li>{@link io.pageferry.agent.guest.GuestKind}: a kind of guest of your own for the commands,
 * found by {@link java.util.ServiceLoader} and named by a URI; with
 * {@link io.pageferry.agent.guest.SourceGuest}, {@link io.pageferry.agent.guest.TargetGuest},
 * {@link io.pageferry.agent.guest.GuestUri}, {@link io.pageferry.agent.guest.GuestSetup},
 * {@link io.pageferry.agent.guest.GuestCheck}, {@link io.pageferry.agent.guest.AfterResume},
 * {@link io.pageferry.agent.guest.DiskCopies},
 * {@link io.pageferry.agent.guest.After}, {@link io.pageferry.agent.guest.room.HostMemory},
 * {@link io.pageferry.agent.guest.room.HostRoom}, {@link io.pageferry.agent.guest.room.RoomClaim},
 * {@link io.pageferry.agent.guest.GuestKinds}, {@link io.pageferry.agent.guest.StartDescription}
 * </ul>
 */
package io.pageferry.agent;
