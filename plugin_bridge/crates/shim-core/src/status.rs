//! What the user is told about an instance.

/// The values of the parameter `status`, in the order of its choices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    /// No sidecar, and none can be started.
    Offline = 0,
    /// A sidecar is being started or connected.
    Starting = 1,
    /// Connected; the input is heard, because nothing can be rendered yet.
    Dry = 2,
    /// Connected, rendering in time.
    Ready = 3,
    /// Connected, but the device does not keep pace.
    Late = 4,
    /// The sidecar or this pass failed.
    Failed = 5,
}

impl Status {
    /// The status with this number; `Failed` for a number that is none.
    pub fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Offline,
            1 => Self::Starting,
            2 => Self::Dry,
            3 => Self::Ready,
            4 => Self::Late,
            _ => Self::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Status;
    use crate::parameters::{STATUS, table};

    #[test]
    fn the_choices_of_the_parameter_are_the_statuses() {
        let names: Vec<String> = (0..6).map(|code| format!("{:?}", Status::from_code(code))).collect();
        assert_eq!(table()[STATUS].choices, names);
    }
}
