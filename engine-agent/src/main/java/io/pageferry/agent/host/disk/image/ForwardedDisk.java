package io.pageferry.agent.host.disk.image;

import io.pageferry.agent.host.disk.Disk;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** A disk whose bytes another one has. */
abstract class ForwardedDisk implements Disk {
    /** Returns the other one, opened. */
    abstract Disk to();

    @Override
    public boolean isDevice() {
        return to().isDevice();
    }

    @Override
    public long size() {
        return to().size();
    }

    @Override
    public int sectorBytes() {
        return to().sectorBytes();
    }

    @Override
    public long bytes() {
        return to().bytes();
    }

    @Override
    public void use(long most) throws IOException {
        to().use(most);
    }

    @Override
    public boolean isUnchanged() {
        return to().isUnchanged();
    }

    @Override
    public void read(long offset, MemorySegment into, long at, long length) throws IOException {
        to().read(offset, into, at, length);
    }

    @Override
    public long badSector(long offset, MemorySegment memory) {
        return to().badSector(offset, memory);
    }

    @Override
    public void write(long offset, MemorySegment from, long at, long length) throws IOException {
        to().write(offset, from, at, length);
    }

    @Override
    public void zero(long offset, long length) throws IOException {
        to().zero(offset, length);
    }

    @Override
    public void sync() throws IOException {
        to().sync();
    }

    @Override
    public long nextData(long offset) throws IOException {
        return to().nextData(offset);
    }

    @Override
    public long nextHole(long offset) throws IOException {
        return to().nextHole(offset);
    }
}
