/**
 * What of the engine is for embedders. Nothing else of this module is exported, but to the modules
 * of Pageferry itself; what is listed here changes only with an entry in CHANGELOG.md.
 *
 * <p>To be implemented, one guest of your own:
 * <ul>
 * <li>{@link io.pageferry.core.migration.Guest}: the running guest at the source
 * <li>{@link io.pageferry.core.memory.PageSource}: its live memory; where that is mapped,
 * {@link io.pageferry.core.memory.GuestMemory}, which asks for nothing but windows on its regions
 * ({@link io.pageferry.core.memory.PagedMemory}, {@link io.pageferry.core.memory.MappedMemory}:
 * what they have in common with an image)
 * <li>{@link io.pageferry.core.dirty.DirtyTracker}: knows what it wrote
 * ({@link io.pageferry.core.dirty.MarkingTracker}, {@link io.pageferry.core.dirty.ScanTracker} are
 * ready made; {@link io.pageferry.core.dirty.SentPages} for one that wants to know what was sent;
 * {@link io.pageferry.core.dirty.JoinedTracker} for several writers of one memory,
 * {@link io.pageferry.core.dirty.DrainedTracker} waits for devices that write late,
 * {@link io.pageferry.core.dirty.WatchedTracker} with a {@link io.pageferry.core.dirty.ChangeWatch}
 * for memory that changes without a store)
 * <li>{@link io.pageferry.core.round.WriteThrottle}: slows its writes down; optional
 * <li>{@link io.pageferry.core.migration.IncomingGuest}: the guest to be, at the target
 * <li>{@link io.pageferry.core.memory.PageStore}: its memory while it is filled; where that is
 * mapped, {@link io.pageferry.core.memory.MemoryImage}
 * <li>{@link io.pageferry.core.migration.GuestHandle}: a guest that outlives its agent; optional
 * </ul>
 *
 * <p>To be used:
 * <ul>
 * <li>{@link io.pageferry.core.memory.RegionTable}, {@link io.pageferry.core.memory.Region},
 * {@link io.pageferry.core.memory.PageGeometry}: the layout of memory, in pages of 4 KiB
 * <li>{@link io.pageferry.core.dirty.DirtyBitmap}: where a tracker puts its marks;
 * {@link io.pageferry.core.dirty.MemoryMap}: those of a migration, for people
 * <li>{@link io.pageferry.core.link.GuestDescription}: what the target gets before it accepts
 * <li>{@link io.pageferry.core.memory.ChecksumTable},
 * {@link io.pageferry.core.memory.PageChecksum}: what the image was read back as
 * <li>{@link io.pageferry.core.migration.GuestException},
 * {@link io.pageferry.core.dirty.TrackerException}, {@link io.pageferry.core.link.ErrorCode}: how
 * an act of the guest fails
 * <li>{@link io.pageferry.core.round.MigrationLimits}, {@link io.pageferry.core.round.Bandwidth},
 * {@link io.pageferry.core.codec.CodecChoice}, {@link io.pageferry.core.migration.Verification},
 * {@link io.pageferry.core.dirty.TrackerChoice}: how a migration is to go
 * ({@link io.pageferry.core.round.LimitChange}: what was changed while it went)
 * <li>{@link io.pageferry.core.migration.MigrationListener},
 * {@link io.pageferry.core.migration.MigrationEvent},
 * {@link io.pageferry.core.migration.MigrationSnapshot},
 * {@link io.pageferry.core.round.RoundStats}, {@link io.pageferry.core.round.PagesByCodec}: how it
 * goes
 * <li>{@link io.pageferry.core.migration.Outcome}, {@link io.pageferry.core.round.StopReason}: how
 * it went
 * <li>{@link io.pageferry.core.words.Labelled}, {@link io.pageferry.core.words.Quantity},
 * {@link io.pageferry.core.words.Printable}: the words and units of options, events and reports
 * </ul>
 *
 * <p>A transport of your own, instead of that of engine-transport:
 * <ul>
 * <li>{@link io.pageferry.core.link.SourceLink}, {@link io.pageferry.core.link.TargetLink},
 * {@link io.pageferry.core.link.Link}, {@link io.pageferry.core.link.LinkOpener},
 * {@link io.pageferry.core.link.LinkAcceptor}, {@link io.pageferry.core.link.StreamLink}: to be
 * implemented
 * <li>{@link io.pageferry.core.link.LinkHandler}: takes what came
 * <li>{@link io.pageferry.core.link.Message}, {@link io.pageferry.core.link.SlotName},
 * {@link io.pageferry.core.codec.PageBatch},
 * {@link io.pageferry.core.round.PageSink}, {@link io.pageferry.core.round.PageSinkFilter}: what is
 * carried
 * </ul>
 *
 * <p>Migrations are run by {@code io.pageferry.agent.embed}.
 */
package io.pageferry.core;
