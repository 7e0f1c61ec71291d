package io.pageferry.agent.guest;

import java.util.List;

/**
 * What a target of a guest must be started with.
 *
 * @param file      a start file's content, for {@code receive --start}
 * @param arguments the same as a command line, for programs; what of it is no UTF-8 is only in the
 *                  file
 * @param host      what of it is the source's host's and may have to change
 * @param untold    what could not be told, one line each; empty where the file can be used
 */
public record StartDescription(byte[] file, List<String> arguments, List<String> host,
        List<String> untold) {
}
