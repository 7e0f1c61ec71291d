package io.pageferry.core.outgoing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.outgoing.session.Losses;
import org.junit.jupiter.api.Test;

class LossesTest {
    private final Losses losses = new Losses();

    @Test
    void aLinkThatCarriedNothingBeginsNothingAnew() {
        losses.lost(10, 0, 500);
        assertEquals(10, losses.sinceNanos());
        assertFalse(losses.isFruitless(), "the first one that is lost");
        losses.lost(20, 0, 500);
        losses.lost(30, 0, 500);
        assertEquals(10, losses.sinceNanos());
        assertTrue(losses.isFruitless());
    }

    @Test
    void oneThatCarriedSomethingOrHadNothingToCarryDoes() {
        losses.lost(10, 100, 500);
        losses.lost(20, 101, 500);
        assertEquals(20, losses.sinceNanos());
        losses.lost(30, 101, 0);
        assertEquals(30, losses.sinceNanos());
        assertFalse(losses.isFruitless());
    }
}
