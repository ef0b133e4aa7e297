//! Columns of other people's Parquet files as numbers, texts, dates and instants.
//!
//! Given an Arrow array of whatever type was stored, this gives one value a row, `None` for a null or for a text that is
//! no number; a type that cannot mean what is wanted gives nothing. Written here because the general casts of Arrow
//! between all pairs of types would be half of the WebAssembly module.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Float32Type, Float64Type,
    Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, TimeUnit};

use crate::calendar::DAY_MICROS;

/// One value a row.
pub(super) type Values<T> = Vec<Option<T>>;

/// The rows of a primitive array through a function.
fn each<P: ArrowPrimitiveType, T>(array: &ArrayRef, value: impl Fn(P::Native) -> Option<T>) -> Option<Values<T>> {
    Some(array.as_primitive::<P>().iter().map(|row| row.and_then(&value)).collect())
}

/// The rows of a dictionary array, whose values are converted once.
fn looked_up<T: Clone>(array: &ArrayRef, values: impl Fn(&ArrayRef) -> Option<Values<T>>) -> Option<Values<T>> {
    let dictionary = array.as_any_dictionary_opt()?;
    let values = values(dictionary.values())?;
    if values.is_empty() {
        return Some(vec![None; array.len()]);
    }
    let keys = dictionary.normalized_keys();
    let row = |(row, key): (usize, usize)| if array.is_null(row) { None } else { values.get(key).cloned().flatten() };
    Some(keys.into_iter().enumerate().map(row).collect())
}

/// Texts of any layout.
pub(super) fn texts(array: &ArrayRef) -> Option<Values<String>> {
    fn owned<'a>(rows: impl Iterator<Item = Option<&'a str>>) -> Option<Values<String>> {
        Some(rows.map(|row| row.map(str::to_owned)).collect())
    }
    match array.data_type() {
        DataType::Utf8 => owned(array.as_string::<i32>().iter()),
        DataType::LargeUtf8 => owned(array.as_string::<i64>().iter()),
        DataType::Utf8View => owned(array.as_string_view().iter()),
        DataType::Dictionary(..) => looked_up(array, texts),
        DataType::Null => Some(vec![None; array.len()]),
        kind if kind.is_integer() => {
            Some(whole_numbers(array)?.into_iter().map(|row| row.map(|number| number.to_string())).collect())
        }
        _ => None,
    }
}

/// Whole numbers of any width; those beyond 64 bits with a sign are null.
pub(super) fn whole_numbers(array: &ArrayRef) -> Option<Values<i64>> {
    match array.data_type() {
        DataType::Int8 => each::<Int8Type, _>(array, |x| Some(x.into())),
        DataType::Int16 => each::<Int16Type, _>(array, |x| Some(x.into())),
        DataType::Int32 => each::<Int32Type, _>(array, |x| Some(x.into())),
        DataType::Int64 => each::<Int64Type, _>(array, Some),
        DataType::UInt8 => each::<UInt8Type, _>(array, |x| Some(x.into())),
        DataType::UInt16 => each::<UInt16Type, _>(array, |x| Some(x.into())),
        DataType::UInt32 => each::<UInt32Type, _>(array, |x| Some(x.into())),
        DataType::UInt64 => each::<UInt64Type, _>(array, |x| i64::try_from(x).ok()),
        _ => None,
    }
}

/// Numbers: floats, whole numbers, decimals, texts of numbers.
pub(super) fn numbers(array: &ArrayRef) -> Option<Values<f64>> {
    match array.data_type() {
        DataType::Float32 => each::<Float32Type, _>(array, |x| Some(x.into())),
        DataType::Float64 => each::<Float64Type, _>(array, Some),
        DataType::UInt64 => each::<UInt64Type, _>(array, |x| Some(x as f64)),
        DataType::Decimal32(_, scale) => each::<Decimal32Type, _>(array, |x| Some(decimal(x.into(), *scale))),
        DataType::Decimal64(_, scale) => each::<Decimal64Type, _>(array, |x| Some(decimal(x.into(), *scale))),
        DataType::Decimal128(_, scale) => each::<Decimal128Type, _>(array, |x| Some(decimal(x, *scale))),
        DataType::Dictionary(..) => looked_up(array, numbers),
        DataType::Null => Some(vec![None; array.len()]),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            Some(texts(array)?.into_iter().map(|row| row?.trim().parse().ok()).collect())
        }
        _ => Some(whole_numbers(array)?.into_iter().map(|row| row.map(|number| number as f64)).collect()),
    }
}

/// `unscaled` ÷ 10^`scale`.
fn decimal(unscaled: i128, scale: i8) -> f64 {
    // Powers of ten are exact floats up to 10^22, further ones are near enough for any price.
    let power = (0..scale.unsigned_abs()).fold(1.0, |power, _| power * 10.0);
    if scale < 0 { unscaled as f64 * power } else { unscaled as f64 / power }
}

/// Dates, as days since 1970-01-01.
pub(super) fn dates(array: &ArrayRef) -> Option<Values<i32>> {
    match array.data_type() {
        DataType::Date32 => each::<Date32Type, _>(array, Some),
        DataType::Date64 => each::<Date64Type, _>(array, |millis| i32::try_from(millis.div_euclid(86_400_000)).ok()),
        _ => None,
    }
}

/// Instants, as microseconds; those that 64 bits do not reach are null.
pub(super) fn instants(array: &ArrayRef) -> Option<Values<i64>> {
    const SECOND: i64 = DAY_MICROS / 86_400;
    match array.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => each::<TimestampSecondType, _>(array, |x| x.checked_mul(SECOND)),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            each::<TimestampMillisecondType, _>(array, |x| x.checked_mul(SECOND / 1000))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => each::<TimestampMicrosecondType, _>(array, Some),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => each::<TimestampNanosecondType, _>(array, |x| Some(x / 1000)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{
        BooleanArray, Date64Array, Decimal128Array, DictionaryArray, Float32Array, Int16Array, StringViewArray,
        TimestampNanosecondArray, TimestampSecondArray, UInt64Array,
    };

    use super::*;

    #[test]
    fn numbers_come_from_every_type_that_holds_them() {
        let some = |values: &[f64]| Some(values.iter().copied().map(Some).collect::<Values<f64>>());
        assert_eq!(numbers(&(Arc::new(Float32Array::from(vec![0.5, 2.0])) as ArrayRef)), some(&[0.5, 2.0]));
        assert_eq!(numbers(&(Arc::new(Int16Array::from(vec![-3])) as ArrayRef)), some(&[-3.0]));
        assert_eq!(numbers(&(Arc::new(UInt64Array::from(vec![u64::MAX])) as ArrayRef)), some(&[u64::MAX as f64]));
        let cents = Decimal128Array::from(vec![Some(12_345), None]).with_data_type(DataType::Decimal128(10, 2));
        assert_eq!(numbers(&(Arc::new(cents) as ArrayRef)), Some(vec![Some(123.45), None]));
        let texts = StringViewArray::from(vec![Some(" 1.25"), Some("n/a"), None]);
        assert_eq!(numbers(&(Arc::new(texts) as ArrayRef)), Some(vec![Some(1.25), None, None]));
        assert_eq!(numbers(&(Arc::new(BooleanArray::from(vec![true])) as ArrayRef)), None);
    }

    #[test]
    fn dictionaries_are_looked_up() {
        let symbols: DictionaryArray<Int32Type> = [Some("B"), None, Some("A"), Some("B")].into_iter().collect();
        let found = texts(&(Arc::new(symbols) as ArrayRef));
        let expected = [Some("B"), None, Some("A"), Some("B")];
        assert_eq!(found, Some(expected.iter().map(|row| row.map(str::to_owned)).collect()));
        let empty: DictionaryArray<Int32Type> = [None::<&str>, None].into_iter().collect();
        assert_eq!(texts(&(Arc::new(empty) as ArrayRef)), Some(vec![None, None]));
    }

    #[test]
    fn times_of_every_unit() {
        let seconds = TimestampSecondArray::from(vec![Some(-1), Some(i64::MAX), None]);
        assert_eq!(instants(&(Arc::new(seconds) as ArrayRef)), Some(vec![Some(-1_000_000), None, None]));
        let nanos = TimestampNanosecondArray::from(vec![1_500]);
        assert_eq!(instants(&(Arc::new(nanos) as ArrayRef)), Some(vec![Some(1)]));
        let days = Date64Array::from(vec![86_400_000 * 3 + 5]);
        assert_eq!(dates(&(Arc::new(days) as ArrayRef)), Some(vec![Some(3)]));
    }
}
