package io.pageferry.core.words;

import java.util.Locale;

/** Gives an enum's constants the word that people and programs read: events, reports, options. */
public interface Labelled {
    /** {@return the constant's name, as every enum has it} */
    String name();

    /** {@return the name in lower case with hyphens, {@code STOP_AND_COPY} as stop-and-copy} */
    default String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
