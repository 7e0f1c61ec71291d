package io.pageferry.agent.e2e;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;

/** Makes a record that differs in one value from another one. */
final class LyingRecord {
    private static final int TRIES = 50;

    private final Random random;

    LyingRecord(Random random) {
        this.random = random;
    }

    /** Returns one of the same type; the same where no other value is taken. */
    Record of(Record honest) {
        RecordComponent[] components = honest.getClass().getRecordComponents();
        for (int i = 0; i < TRIES && components.length > 0; i++) {
            Object[] values = new Object[components.length];
            try {
                for (int c = 0; c < components.length; c++) {
                    components[c].getAccessor().setAccessible(true);
                    values[c] = components[c].getAccessor().invoke(honest);
                }
                int which = random.nextInt(components.length);
                values[which] = other(values[which]);
                Constructor<?> constructor = honest.getClass().getDeclaredConstructor(
                        Arrays.stream(components).map(RecordComponent::getType)
                                .toArray(Class<?>[]::new));
                constructor.setAccessible(true);
                return (Record) constructor.newInstance(values);
            } catch (InvocationTargetException e) {
                continue; // a value that the type does not take
            } catch (ReflectiveOperationException e) {
                throw new AssertionError(e);
            }
        }
        return honest;
    }

    private Object other(Object value) {
        return switch (value) {
            case Long number -> List.of(number + 1, number - 1, 0L, -1L, Long.MAX_VALUE,
                    random.nextLong()).get(random.nextInt(6));
            case Integer number -> List.of(number + 1, number - 1, 0, -1, Integer.MAX_VALUE,
                    random.nextInt()).get(random.nextInt(6));
            case Boolean flag -> !flag;
            case UUID uuid -> new UUID(uuid.getMostSignificantBits(), random.nextLong());
            case String text -> text.isEmpty() || random.nextBoolean() ? text + "x"
                    : text.substring(1);
            case byte[] bytes -> Arrays.copyOf(bytes, Math.max(0,
                    bytes.length + random.nextInt(3) - 1));
            case long[] numbers -> numbers(numbers.clone());
            case Enum<?> one -> {
                Object[] all = one.getDeclaringClass().getEnumConstants();
                yield all[random.nextInt(all.length)];
            }
            case List<?> list -> list(new ArrayList<>(list));
            case Record record -> of(record);
            case null, default -> value;
        };
    }

    private long[] numbers(long[] numbers) {
        if (numbers.length == 0 || random.nextBoolean()) {
            return Arrays.copyOf(numbers, numbers.length + 1);
        }
        int at = random.nextInt(numbers.length);
        numbers[at] = (Long) other(numbers[at]);
        return numbers;
    }

    private List<Object> list(List<Object> list) {
        if (list.isEmpty()) {
            return list;
        }
        int at = random.nextInt(list.size());
        switch (random.nextInt(3)) {
            case 0 -> list.remove(at);
            case 1 -> list.add(list.get(at));
            default -> list.set(at, other(list.get(at)));
        }
        return list;
    }
}
