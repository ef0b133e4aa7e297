//! What one operation does to the values of one bar, and the value of a scalar expression.
//!
//! Given numbers, this gives a number; NaN is undefined. The evaluators of columns and of scalars agree because both
//! come here. It never knows where the numbers are from.

use super::{BinaryOp, Function, Node, NodeId, Program};
use crate::num;

/// 1 or 0, undefined where the operands are. Without branches, so that loops over columns can be vectorised.
#[inline(always)]
fn truth(defined: bool, value: bool) -> f64 {
    let value = if value { 1.0 } else { 0.0 };
    if defined { value } else { num::NAN }
}

impl BinaryOp {
    /// The result for two values: undefined where one of them is, otherwise as documented at each variant. Truth
    /// values are 1 and 0. An undefined result is some NaN, to be made canonical where it is stored.
    #[inline(always)]
    pub fn apply(self, a: f64, b: f64) -> f64 {
        let defined = !(a.is_nan() | b.is_nan());
        match self {
            BinaryOp::Add => a + b,
            BinaryOp::Sub => a - b,
            BinaryOp::Mul => a * b,
            BinaryOp::Div if b == 0.0 => num::NAN,
            BinaryOp::Div => a / b,
            BinaryOp::Rem => floored_remainder(a, b),
            // The power function itself knows values without their operands: 1 ^ x and x ^ 0.
            BinaryOp::Pow if !defined => num::NAN,
            BinaryOp::Pow => num::pow(a, b),
            BinaryOp::Lt => truth(defined, a < b),
            BinaryOp::Le => truth(defined, a <= b),
            BinaryOp::Gt => truth(defined, a > b),
            BinaryOp::Ge => truth(defined, a >= b),
            BinaryOp::Eq => truth(defined, a == b),
            BinaryOp::Ne => truth(defined, a != b),
            BinaryOp::And => truth(defined, a != 0.0 && b != 0.0),
            BinaryOp::Or => truth(defined, a != 0.0 || b != 0.0),
        }
    }
}

/// `a % b` with the sign of `b`, undefined for 0. The remainder itself is exact, so only the correction rounds; in the
/// shorter `a - b * floor(a / b)` the quotient does, which for a large one leaves nothing of the remainder.
#[inline(always)]
fn floored_remainder(a: f64, b: f64) -> f64 {
    let remainder = a % b;
    if remainder != 0.0 && (remainder < 0.0) != (b < 0.0) { remainder + b } else { remainder }
}

impl Function {
    /// Number of operands.
    pub fn arity(self) -> usize {
        match self {
            Function::Min2 | Function::Max2 => 2,
            _ => 1,
        }
    }

    /// The result for one value, or two (`b` is read by the functions of two operands only). An undefined result is
    /// some NaN, to be made canonical where it is stored.
    #[inline(always)]
    pub fn apply(self, a: f64, b: f64) -> f64 {
        match self {
            Function::Abs => a.abs(),
            Function::Sqrt => num::sqrt(a),
            Function::Exp => num::exp(a),
            Function::Log if a <= 0.0 => num::NAN,
            Function::Log => num::ln(a),
            Function::Sign if a.is_nan() || a == 0.0 => a,
            Function::Sign => a.signum(),
            Function::Floor => a.floor(),
            Function::Ceil => a.ceil(),
            Function::Round => a.round(),
            Function::Min2 => pick(a, b, a < b),
            Function::Max2 => pick(a, b, a > b),
            Function::Defined => truth(true, !a.is_nan()),
        }
    }
}

#[inline(always)]
fn pick(a: f64, b: f64, first: bool) -> f64 {
    if a.is_nan() | b.is_nan() {
        num::NAN
    } else if first {
        a
    } else {
        b
    }
}

impl Program {
    /// The value of a scalar node at a point of the parameter space (truth values are 1 and 0, NaN is undefined).
    /// `None` if the node is a column, if `point` is too short, or if it needs `n_symbols` and that is not given.
    pub fn scalar_value(&self, id: NodeId, point: &[f64], n_symbols: Option<u32>) -> Option<f64> {
        let value = |id: NodeId| self.scalar_value(id, point, n_symbols);
        match self.node(id) {
            Node::Number(number) => Some(*number),
            Node::Flag(flag) => Some(truth(true, *flag)),
            Node::Param(index) => point.get(*index as usize).copied(),
            Node::SymbolCount => n_symbols.map(f64::from),
            Node::Neg(a) => value(*a).map(|a| -a),
            Node::Not(a) => value(*a).map(|a| truth(!a.is_nan(), a == 0.0)),
            Node::Binary(op, a, b) => Some(op.apply(value(*a)?, value(*b)?)),
            Node::If(condition, a, b) => {
                let (condition, a, b) = (value(*condition)?, value(*a)?, value(*b)?);
                Some(if condition.is_nan() {
                    num::NAN
                } else if condition != 0.0 {
                    a
                } else {
                    b
                })
            }
            Node::Function(function, operands) => {
                let a = value(*operands.first()?)?;
                let b = operands.get(1).map_or(Some(num::NAN), |&b| value(b))?;
                Some(function.apply(a, b))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_and_remainder_by_zero_are_undefined() {
        assert!(BinaryOp::Div.apply(1.0, 0.0).is_nan());
        assert!(BinaryOp::Rem.apply(1.0, 0.0).is_nan());
    }

    #[test]
    fn the_remainder_has_the_sign_of_the_divisor() {
        for (a, b, expected) in [(7.0, 3.0, 1.0), (-7.0, 3.0, 2.0), (7.0, -3.0, -2.0), (-7.0, -3.0, -1.0)] {
            assert_eq!(BinaryOp::Rem.apply(a, b), expected, "{a} % {b}");
        }
    }

    #[test]
    fn the_remainder_is_exact_where_the_quotient_is_not() {
        assert_eq!(BinaryOp::Rem.apply(1e17, 3.0), 1.0);
        assert_eq!(BinaryOp::Rem.apply(5.0, f64::INFINITY), 5.0);
    }

    #[test]
    fn undefined_operands_make_the_result_undefined_even_where_it_would_not_matter() {
        for op in BinaryOp::ALL {
            assert!(op.apply(num::NAN, 0.0).is_nan(), "{op:?}");
            assert!(op.apply(1.0, num::NAN).is_nan(), "{op:?}");
        }
        assert!(Function::Min2.apply(1.0, num::NAN).is_nan());
        assert_eq!(Function::Defined.apply(num::NAN, num::NAN), 0.0);
        assert_eq!(Function::Defined.apply(0.0, num::NAN), 1.0);
    }

    #[test]
    fn functions_outside_their_domain_are_undefined() {
        assert!(Function::Log.apply(0.0, num::NAN).is_nan());
        assert!(Function::Sqrt.apply(-1.0, num::NAN).is_nan());
        assert_eq!(Function::Round.apply(-2.5, num::NAN), -3.0);
        assert_eq!([-2.0, -0.0, 0.0, 0.5].map(|x| Function::Sign.apply(x, num::NAN)), [-1.0, 0.0, 0.0, 1.0]);
        assert!(Function::Sign.apply(num::NAN, 0.0).is_nan());
    }
}
