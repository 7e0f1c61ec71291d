package io.pageferry.agent.host.memory;

import io.pageferry.agent.host.linux.FileWatch;
import io.pageferry.agent.host.linux.SharedMemory;
import io.pageferry.core.dirty.ChangeWatch;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** Hears of changes of the files that hold a guest's regions. The files stay the caller's. */
final class StorageWatch implements ChangeWatch {
    private final List<Optional<SharedMemory>> files;
    private final List<Boolean> silent;
    private final boolean deaf;
    private FileWatch watch;

    /**
     * Makes a watch that hears nothing yet.
     *
     * @param files of the regions, in their order; private memory has none
     * @param deaf  whether one of them is unnamed and may be written by a descriptor
     */
    StorageWatch(List<Optional<SharedMemory>> files, boolean deaf) {
        this.files = files;
        this.deaf = deaf;
        this.silent = files.stream().map(file ->
                file.isPresent() && file.get().isUnnamed()).toList();
    }

    @Override
    public void start() throws IOException {
        watch = FileWatch.open();
        try {
            for (Optional<SharedMemory> file : files) {
                if (file.isPresent()) {
                    watch.add(file.get());
                }
            }
        } catch (IOException e) {
            close();
            throw e;
        }
    }

    @Override
    public boolean isDeaf() {
        return deaf;
    }

    @Override
    public boolean heard() throws IOException {
        return watch.heard();
    }

    @Override
    public boolean isSilent(int region) {
        return silent.get(region);
    }

    @Override
    public void close() {
        if (watch != null) {
            watch.close();
            watch = null;
        }
    }
}
